local child = require "child"

local function example(name, ...)
    return child.command(child.root .. "/examples/" .. name, ...)
end

describe("the example", function()
    it("write_read.lua writes a file and reads it", function()
        local result = child.shell(example "write_read.lua")
        assert.equal("wrote 18 bytes\nread 18 bytes: written by luring\n", result.output)
        assert.equal(0, result.status)
    end)

    it("echo.lua talks to itself", function()
        local result = child.shell(example "echo.lua")
        assert.equal(
            "server: listening\nserver: got luring\nclient: got Hello, luring!\n", result.output)
        assert.equal(0, result.status)
    end)

    it("cat.lua copies files and the standard input", function()
        local path = os.tmpname()
        local result = child.shell(("set -e; head -c 3000001 /dev/urandom >%s; %s >%s.1; cmp %s %s.1; "
            .. "cat %s | %s >%s.2; cmp %s %s.2; echo same"):format(
            path, example("cat.lua", path), path, path, path, path, example("cat.lua", "-"), path, path, path))
        assert.equal("same\n", result.output)
        os.remove(path)
        os.remove(path .. ".1")
        os.remove(path .. ".2")
    end)

    it("cat.lua says what it can't read, and goes on", function()
        local result = child.shell(example("cat.lua", "/nowhere/file", "/dev/null"))
        assert.equal("cat.lua: /nowhere/file: No such file or directory\n", result.output)
        assert.equal(1, result.status)
    end)

    it("echo_server.lua serves many clients at once", function()
        local path = os.tmpname()
        local result = child.shell(([[
            %s >%s &
            server=$!
            n=0
            until grep -q port %s; do sleep 0.05; n=$((n + 1)); [ $n -lt 400 ] || exit 9; done
            %s "$(sed -n 's/.*port //p' %s)" 30 || exit
            wait $server]]):format(
            example("echo_server.lua", "0", "30"), path, path, example "echo_clients.lua", path))
        assert.equal("30 clients, 65536 bytes each, 0 answers wrong\n", result.output)
        assert.equal(0, result.status)
        os.remove(path)
    end)
end)
