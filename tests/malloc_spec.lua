local child = require "child"
local shortage = require "shortage"

local version = tonumber(_VERSION:match("%d$"))
local preload = child.compile("failing.c", ("failing-5.%d.so"):format(version),
    ("-shared -fPIC -ldl -DLUA_NUM=50%d"):format(version))

-- Runs a program with one call after the other failing, and as many as `span` in a row, until it has
-- run through with none that failed.
local function starve(chunk, span)
    return child.run(([[
        local fail = package.loadlib(%q, "luaopen_failing")()
        local program, finish = (loadstring or load)(%q)()
        local calls = 0
        repeat
            calls = calls + 1
            fail(calls, %d)
            local ok, err = pcall(program)
            local failed = fail(0, 0)
            if ok then err = nil end
            ok, err = pcall(finish, err)
            if not ok then return io.write("call ", calls, ": ", tostring(err)) end
        until failed == 0
        io.write(calls > %d and "done" or calls)
    ]]):format(preload, chunk, span, 5), child.preload(preload))
end

describe("where the C library has no memory for one thing after the other,", function()
    if not child.preload(preload) then
        it("nothing is half done", function() pending("another allocator is loaded") end)
        return
    end

    for how, span in pairs { once = 1, ["five times"] = 5, ["for good"] = 1000000000 } do
        it("a ring's actions are queued or not, and each ends once: it fails " .. how, function()
            local result = starve(shortage.RING, span)
            assert.equal("done", result.output)
            assert.equal(0, result.status)
        end)

        it("tasks end, with that error or as ever: it fails " .. how, function()
            local result = starve(shortage.TASKS, span)
            assert.equal("done", result.output)
            assert.equal(0, result.status)
        end)
    end
end)
