local luring = require "luring"
local child = require "child"
local program = require "program"

describe("the example tail.lua", function()
    local folder, tail
    before_each(function()
        folder = child.shell("mktemp -d").output:gsub("\n$", "")
    end)
    after_each(function()
        if tail then tail:kill() end
        os.execute("rm -rf " .. child.quote(folder))
    end)

    local function path(name) return folder .. "/" .. name end

    local function put(name, text, mode)
        local file = assert(io.open(path(name), mode or "ab"))
        file:write(text)
        file:close()
    end

    it("prints the last lines, and what is added", function()
        local lines = {}
        for i = 1, 5000 do lines[i] = ("%d some line\n"):format(i) end
        put("file", table.concat(lines))
        tail = program.start("tail.lua", path "file")
        tail:wait("5000 some line\n")
        assert.equal(table.concat(lines, "", 4991), tail.text)
        put("file", "more\n")
        tail:wait("\nmore\n")
        put("file", "a part")
        tail:wait("\na part")
        put("file", (" of a line"):rep(100000) .. " end\n")
        tail:wait(" end\n")
        os.remove(path "file")
        local result = tail:finish()
        assert.equal(table.concat(lines, "", 4991) .. "more\na part" .. (" of a line"):rep(100000) .. " end\n",
            result.output)
        assert.equal(("tail.lua: %s: it was removed\n"):format(path "file"), result.errors)
        assert.equal(1, result.status)
    end)

    it("loses nothing of a file that grows all the time", function()
        put("file", "0\n")
        tail = program.start("tail.lua", path "file")
        tail:wait("0\n")
        local all = { [0] = "0\n" }
        for i = 1, 2000 do
            all[i] = i .. "\n"
            put("file", all[i])
        end
        tail:wait("\n2000\n")
        assert.is_true(table.concat(all, "", 0) == tail.text)
        os.remove(path "file")
        assert.equal(1, tail:finish().status)
    end)

    it("follows many files, and says which", function()
        local files = {}
        for i = 1, 40 do
            files[i] = path("file" .. i)
            put("file" .. i, "")
        end
        tail = program.start("tail.lua", "/nowhere/file", (unpack or table.unpack)(files))
        for i = 40, 1, -1 do
            put("file" .. i, ("added to %d\n"):format(i))
            tail:wait(("==> %s <==\nadded to %d\n$"):format(files[i]:gsub("%p", "%%%0"), i))
        end
        put("file1", "again\n")
        tail:wait("added to 1\nagain\n$")
        for _, file in ipairs(files) do os.remove(file) end
        local result = tail:finish()
        assert.equal(1, result.status)
        assert.equal(("tail.lua: /nowhere/file: %s\n"):format(luring.strerror(luring.ENOENT)),
            result.errors:match("^[^\n]*\n"))
        assert.equal(40, select(2, result.errors:gsub("it was removed", "")))
    end)

    it("starts anew when a file is cut", function()
        put("file", "one\ntwo\nthree\n")
        tail = program.start("tail.lua", path "file")
        tail:wait("three\n$")
        put("file", "new\n", "wb")
        tail:wait("three\nnew\n$")
        os.remove(path "file")
        assert.truthy(tail:finish().errors:find("starts anew", 1, true))
    end)

    it("fails in one line when there is nothing to follow, or to write to", function()
        local result = child.shell(child.example("tail.lua", "/nowhere/file"))
        assert.equal(("tail.lua: /nowhere/file: %s\n"):format(luring.strerror(luring.ENOENT)), result.output)
        assert.equal(1, result.status)
        result = child.shell(child.example "tail.lua")
        assert.equal("tail.lua: which files? (see --help)\n", result.output)
        assert.equal(1, result.status)
        put("file", "text\n")
        result = child.shell(child.example("tail.lua", path "file") .. " >/dev/full")
        assert.equal(("tail.lua: standard output: %s\n"):format(luring.strerror(luring.ENOSPC)), result.output)
        assert.equal(1, result.status)
    end)
end)
