-- Each thread has its own Lua states and rings; what the module itself has is all threads'. `make check-threads` runs
-- the same under ThreadSanitizer.

local child = require "child"

describe("threads with a Lua state each", function()
    it("use the module at once", function()
        local command = child.command(child.support .. "threads.lua")
        assert.same({ status = 0, output = "fine\n" }, child.shell("THREADS=4 ROUNDS=3 exec " .. command))
    end)
end)
