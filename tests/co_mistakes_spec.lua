local co = require "luring.co"

local HERE = "tests/co_mistakes_spec.lua:%d+: "

-- What a call raises that is made outside of all tasks.
local function outside(f)
    local ok, err = pcall(f)
    assert.is_false(ok)
    return err
end

describe("a mistake", function()
    it("outside of all tasks is told of at the program's line, whatever is between", function()
        for name, f in pairs {
            sleep = function() co.sleep(1) end,
            connect = function() co.connect("127.0.0.1", 1) end,
            ["read_file"] = function() co.read_file("/dev/null") end,
            ["write_file"] = function() co.write_file("/dev/null", "") end,
            ["an action"] = function() co.io.nop() end,
            ["a stream"] = function() co.stdin:line() end,
            ["a process"] = function() co.process { "true" } end,
            ["a protected call"] = function() error((select(2, pcall(co.sleep, 1))), 0) end,
        } do
            local err = outside(f)
            assert.truthy(err:find("^" .. HERE .. "only a task can wait: run this by co.run$"), name .. ": " .. err)
        end
    end)

    it("in a function's last call names no line of the module's own", function()
        local ok, err = pcall(co.run, function() return co.sleep("x") end)
        assert.is_false(ok)
        assert.truthy(err:find("^bad argument #1 to 'sleep' %(number expected%)"), err)
        local function nap() return co.sleep("x") end
        ok, err = pcall(co.run, function()
            nap()
            return 1
        end)
        assert.is_false(ok)
        assert.truthy(err:find("^" .. HERE .. "bad argument #1 to 'sleep' %(number expected%)"), err)
    end)
end)
