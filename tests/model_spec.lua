local model = require "model"

-- More of them, from another seed on: `make check-model`.
local first = tonumber(os.getenv("LURING_TEST_SEED") or "") or 1
local count = tonumber(os.getenv("LURING_TEST_SEQUENCES") or "") or 100

describe("a random sequence of actions", function()
    it("ends as a small model says that it must", function()
        for seed = first, first + count - 1 do model(seed) end
    end)
end)
