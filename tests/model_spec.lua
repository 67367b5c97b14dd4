-- More of them, from another seed on: `make check-model`.
local first = tonumber(os.getenv("LURING_TEST_SEED") or "") or 1
local count = tonumber(os.getenv("LURING_TEST_SEQUENCES") or "")

local function holds(what, model, usual)
    describe(what, function()
        it("ends as a small model says that it must", function()
            for seed = first, first + (count or usual) - 1 do model(seed) end
        end)
    end)
end

holds("a random sequence of actions", require "model", 100)
holds("a random tree of tasks", require "co_model", 200)
