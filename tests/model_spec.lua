local child = require "child"

-- More of them, from another seed on: `make check-model`.
local first = tonumber(os.getenv("LURING_TEST_SEED") or "") or 1
local count = tonumber(os.getenv("LURING_TEST_SEQUENCES") or "")

-- In a process of their own: each collects garbage, and here that would be all specs'.
local function holds(what, model, usual)
    describe(what, function()
        it("ends as a small model says that it must", function()
            local result = child.run(([[
                local model = require %q
                for seed = %d, %d do model(seed) end
                io.write "done"
            ]]):format(model, first, first + (count or usual) - 1))
            assert.same({ status = 0, output = "done" }, result)
        end)
    end)
end

holds("a random sequence of actions", "model", 100)
holds("a random tree of tasks", "co_model", 200)
