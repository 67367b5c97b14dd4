local co = require "luring.co"
local child = require "child"

-- The tutorial's programs by their names, and what each is said to print.
local programs, outputs = {}, {}
do
    local text = child.contents(child.root .. "/docs/tutorial.md")
    local last
    for kind, body in text:gmatch("```(%a+)\n(.-)```") do
        if kind == "lua" then
            last = assert(body:match("^%-%- (%S+%.lua)\n"), body)
            programs[last] = body
        else
            outputs[last] = body
        end
    end
end

-- Runs `talk(port)` beside a program that serves on a free port; what it printed after that.
local function beside(name, talk)
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write('io.stdout:setvbuf("no")\n', programs[name])
    file:close()
    local output = co.run(function()
        local server = assert(co.process { "sh", "-c", "exec " .. child.command(path, "0"), stdout = "pipe" })
        local port = tonumber(server.stdout:line():match("listening on port%s+(%d+)"))
        talk(port)
        server:kill("TERM")
        local rest = server.stdout:read_all()
        server:wait()
        return rest
    end)
    os.remove(path)
    return output
end

describe("the tutorial", function()
    for name, output in pairs(outputs) do
        it("says what " .. name .. " prints", function()
            local result = child.run(programs[name])
            assert.same({ 0, output }, { result.status, result.output })
        end)
    end

    it("has a server that shouts", function()
        beside("shout.lua", function(port)
            local one, other = assert(co.connect("127.0.0.1", port)), assert(co.connect("127.0.0.1", port))
            one:write("hello\nagain\n")
            other:write("me too\n")
            assert.same({ "HELLO", "AGAIN", "ME TOO" }, { one:line(), one:line(), other:line() })
        end)
    end)

    it("has a chat server, which ends well", function()
        local output = beside("chat.lua", function(port)
            local function enter(name)
                local stream = assert(co.connect("127.0.0.1", port))
                assert.equal("your name?", stream:line())
                stream:write(name, "\n")
                assert.equal(name .. " is here", stream:line())
                return stream
            end
            local ann, bob = enter("ann"), enter("bob")
            assert.equal("bob is here", ann:line())
            ann:write("hi\n")
            assert.equal("ann: hi", ann:line())
            assert.equal("ann: hi", bob:line())
            bob:close()
            assert.equal("bob has left", ann:line())
        end)
        assert.equal("stopped\n", output)
    end)

    it("leaves no program untried", function()
        local tried = { ["shout.lua"] = true, ["chat.lua"] = true }
        for name in pairs(programs) do assert.truthy(tried[name] or outputs[name], name) end
    end)
end)
