local co = require "luring.co"
local luring = require "luring"
local child = require "child"
local program = require "program"

describe("the example count_cqueues.lua", function()
    local function says(message, ...)
        local result = child.shell(child.example("count_cqueues.lua", ...))
        assert.same({ 1, "count_cqueues.lua: " .. message .. "\n" }, { result.status, result.output })
    end

    it("says in one line what it can't do", function()
        says("which FOLDER? (see --help)")
        says("PORT is a number up to 65535 (see --help)", ".", "65536")
        says("PORT is a number up to 65535 (see --help)", ".", "-1")
        says("/nowhere: " .. luring.strerror(luring.ENOENT), "/nowhere")
        says("/dev/null: " .. luring.strerror(luring.ENOTDIR), "/dev/null")
    end)

    if not pcall(require, "cqueues") then
        it("counts", function()
            says("needs cqueues (Debian's package lua-cqueues)", ".")
            pending("cqueues is not installed for this Lua")
        end)
        return
    end

    local folder, server, port
    before_each(function()
        folder = child.shell("mktemp -d").output:gsub("\n$", "")
        server = program.start("count_cqueues.lua", folder)
        port = tonumber(server:wait "listening on port (%d+)\n")
    end)
    after_each(function()
        server:kill()
        os.execute("rm -rf " .. child.quote(folder))
    end)

    local function write(name, text)
        local file = assert(io.open(folder .. "/" .. name, "wb"))
        file:write(text)
        file:close()
    end

    -- What is said to these names, all sent at once.
    local function answers(...)
        local client = assert(co.connect("127.0.0.1", port))
        client:write(table.concat({ ... }, "\n"), "\n")
        client:shutdown()
        return assert(client:read_all())
    end

    it("counts the bytes and lines of each file that a client names", function()
        write("empty", "")
        write("two lines", "one\ntwo\n")
        write("large", ("0123456789abcde\n"):rep(200000))
        write("no end", "one\ntwo")
        co.run(function()
            assert.equal("0 0 empty\n8 2 two lines\n3200000 200000 large\n7 1 no end\n",
                answers("empty", "two lines", "large", "no end"))
        end)
    end)

    it("has no way out of its folder, and says what it can't read", function()
        os.execute(("cd %s && ln -s /etc/passwd out && ln -s . self && mkfifo fifo"):format(child.quote(folder)))
        local function refused(name, errno) return name .. ": " .. luring.strerror(errno) .. "\n" end
        co.run(function()
            assert.equal(
                refused("../x", luring.EXDEV) .. refused("/etc/passwd", luring.EXDEV) .. refused("out", luring.EXDEV)
                    .. refused("none", luring.ENOENT) .. refused("self", luring.EISDIR) .. "0 0 fifo\n"
                    .. refused("fi\0fo", luring.EINVAL) .. refused("", luring.ENOENT),
                answers("../x", "/etc/passwd", "out", "none", "self", "fifo", "fi\0fo", ""))
        end)
    end)

    it("serves many clients at once, some of which go early", function()
        write("file", ("x\n"):rep(100000))
        local before = server:sockets()
        co.run(function()
            local one = {}
            for i = 1, 50 do
                one[i] = co.spawn(function()
                    local client = assert(co.connect("127.0.0.1", port))
                    for _ = 1, i do
                        client:write("file\n")
                        if i % 5 == 0 then break end -- the answer is met by a reset
                        assert.equal("200000 100000 file", client:line())
                    end
                    client:close()
                end)
            end
            for _, task in ipairs(one) do task:join() end
            assert.equal("200000 100000 file\n", answers "file")
        end)
        assert.equal(before, server:sockets_left(before))
        server:signal(luring.SIGINT)
        local result = server:finish()
        assert.same({ 130, "" }, { result.status, result.errors })
    end)

    it("says that its port is taken", function()
        says(("port %d: %s"):format(port, luring.strerror(luring.EADDRINUSE)), folder, tostring(port))
    end)
end)
