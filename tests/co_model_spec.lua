local model = require "co_model"

-- More of them, from another seed on: `make check-model`.
local first = tonumber(os.getenv("LURING_TEST_SEED") or "") or 1
local count = tonumber(os.getenv("LURING_TEST_SEQUENCES") or "") or 200

describe("a random tree of tasks", function()
    it("ends as a small model says that it must", function()
        for seed = first, first + count - 1 do model(seed) end
    end)
end)
