local co = require "luring.co"
local luring = require "luring"
local child = require "child"
local pair = require "streams"

local HERE = "tests/co_mistakes_spec.lua:%d+: "

-- What a call raises that is made outside of all tasks, and what one raises in a task.
local function outside(f)
    local ok, err = pcall(f)
    assert.is_false(ok)
    return err
end

local function inside(f)
    local ok, err
    co.run(function() ok, err = co.pcall(f) end)
    assert.is_false(ok)
    return err
end

local function plain(text)
    return (text:gsub("%p", "%%%0"))
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

    it("in the arguments names the function and the argument", function()
        for text, f in pairs {
            ["bad argument #1 to 'run' (function expected, got nil)"] = function() co.run() end,
            ["bad argument #1 to 'spawn' (function expected, got nil)"] = function() co.loop():spawn() end,
        } do
            assert.truthy(outside(f):find("^" .. HERE .. plain(text) .. "$"), outside(f))
        end
        for text, f in pairs {
            ["bad argument #3 to 'connect' (table expected, got number)"] = function() co.connect("::1", 1, 5) end,
            ["bad option 'timeout' (number expected)"] = function() co.connect("::1", 1, { timeout = "1" }) end,
            ["bad argument #3 to 'listen' (field 'backlog' must be"] = function()
                co.listen("127.0.0.1", 0, { backlog = "x" })
            end,
            ["bad argument #2 to 'serve' (table expected, got number)"] = function()
                co.listen("127.0.0.1", 0):serve(print, 5)
            end,
            ["bad argument #3 to 'open' (table expected, got string)"] = function()
                co.open("/dev/null", "w", "644")
            end,
            ["bad argument #1 to 'loop' (table expected, got userdata)"] = function()
                co.loop(luring.queue_init(1, 0))
            end,
            ["bad option 'ring' (a ring expected)"] = function() co.loop { ring = 5 } end,
            ["bad option 'clock' (\"virtual\" expected)"] = function() co.loop { clock = "virtuel" } end,
            ["bad argument #1 to 'stream' (number expected, got nil)"] = function() co.stream() end,
            ["bad argument #1 to 'stream' (a descriptor expected, got -2)"] = function() co.stream(-2) end,
            ["bad argument #1 to 'file' (a descriptor expected, got -2)"] = function() co.file(-2) end,
            ["bad argument #1 to 'setopt' (number expected, got string)"] = function() pair():setopt("x", 1, 1) end,
            ["bad argument #1 to 'line' (a number of bytes expected)"] = function() pair():line("*l") end,
            ["bad argument #1 to 'read_all' (a number of bytes expected)"] = function() pair():read_all("*a") end,
            ["bad argument #1 to 'all' (a list of functions expected, got function)"] = function() co.all(print) end,
            ["bad argument #1 to 'any' (a list of functions expected, got nil)"] = function() co.any() end,
            ["bad argument #1 to 'all' (function expected, got number)"] = function() co.all { 1 } end,
            ["bad argument #2 to 'map' (function expected, got number)"] = function() co.map(1, 2, print) end,
            ["bad argument #3 to 'map' (function expected, got nil)"] = function() co.map(1, {}) end,
            ["bad argument #2 to 'timeout' (function expected, got boolean)"] = function() co.timeout(1, true) end,
            ["bad argument #1 to 'relay' (a stream expected, got nil)"] = function() co.relay() end,
            ["unknown option: idel"] = function()
                local one, other = pair()
                co.relay(one, other, { idel = 1 })
            end,
            ["bad option 'idle' (number expected)"] = function()
                local one, other = pair()
                co.relay(one, other, { idle = "1" })
            end,
            ["bad argument #1 to 'own' (an object with a method 'close' expected, got string)"] = function()
                co.scope(function(s) s:own("x") end)
            end,
            ["bad argument #1 to 'process' (field 'stdin' must be a descriptor or \"pipe\")"] = function()
                co.process { "true", stdin = "text" }
            end,
            ["bad option 'stdin' (a descriptor expected: what is to be read is 'input')"] = function()
                co.capture { "cat", stdin = "pipe" }
            end,
            ["bad option 'input' (string expected)"] = function() co.capture { "cat", input = 5 } end,
            ["bad option 'input' (there is a 'stdin' too)"] = function()
                co.capture { "cat", input = "x", stdin = 0 }
            end,
        } do
            local err = inside(f)
            assert.truthy(err:find("^" .. HERE .. plain(text)), text .. "\n" .. err)
        end
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

    it("of no dot is not called one, however often it was made", function()
        local result = child.run [[
            local co, socket = require "luring.co", require "luring.co.socket"
            local seen = {}
            co.run(function()
                local server = assert(socket.bind("127.0.0.1", 0))
                local _, port = server:getsockname()
                local open, unconnected = assert(socket.connect("127.0.0.1", port)), socket.tcp()
                for _ = 1, 30 do
                    for _ = 1, 300 do open:send("", 2) end -- LuaJIT compiles what looks at the socket
                    for _ = 1, 40 do
                        local _, err = pcall(unconnected.send, unconnected, "x", 2)
                        seen[err:gsub("^.-: ", "")] = true
                        _, err = pcall(function() unconnected:send("") end)
                        seen[err:gsub("^.-: ", "")] = true
                    end
                end
            end)
            seen["bad argument #1 to 'send' (tcp{client} expected)"] = nil
            assert(not next(seen), next(seen))
            print "fine"
        ]]
        assert.equal("fine\n", result.output)
    end)
end)
