local co = require "luring.co"
local luring = require "luring"

local HERE = "tests/co_mistakes_spec.lua:%d+: "

-- What a call raises that is made outside of all tasks.
local function outside(f)
    local ok, err = pcall(f)
    assert.is_false(ok)
    return err
end

local function plain(text)
    return (text:gsub("%p", "%%%0"))
end

-- Two streams, closed at the end of the task.
local function pair()
    local one, other = luring.socketpair()
    return co.stream(one), co.stream(other)
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

    it("of a dot in a colon's place is called that", function()
        for name, f in pairs {
            write = function(s) s.write("x") end,
            line = function(s) s.line() end,
            settimeout = function(s) s.settimeout("x") end,
            send = function() co.channel(1).send(1) end,
            set = function() co.event().set() end,
            join = function() co.spawn(co.sleep, 0).join() end,
            serve = function() co.listen("127.0.0.1", 0).serve(print) end,
        } do
            local ok, err = pcall(co.run, function()
                f(pair())
                return 1
            end)
            assert.is_false(ok)
            local text = "calling '" .. name .. "' on bad self (a method is called with a colon)"
            assert.truthy(err:find("^" .. HERE .. plain(text)), name .. "\n" .. err)
        end
    end)
end)
