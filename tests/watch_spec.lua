local luring = require "luring"
local child = require "child"
local program = require "program"

describe("the example watch.lua", function()
    local folder, watch
    before_each(function() folder = child.shell("mktemp -d").output:gsub("\n$", "") end)
    after_each(function()
        if watch then watch:kill() end
        os.execute("rm -rf " .. child.quote(folder))
    end)

    it("runs a command at first, and after each change", function()
        watch = program.start("watch.lua", folder, "sh", "-c", 'ls "$0" | tr "\\n" " "; echo end', folder)
        watch:wait("^end\n$")
        for i = 1, 3 do
            io.open(folder .. "/file" .. i, "w"):close()
            watch:wait("file" .. i .. " end\n$")
        end
        os.rename(folder .. "/file1", folder .. "/other")
        watch:wait("file2 file3 other end\n$")
        os.remove(folder .. "/other")
        watch:wait("file2 file3 end\n$")
        os.execute("rm -r " .. child.quote(folder))
        local result = watch:finish()
        assert.equal(1, result.status)
        assert.truthy(result.errors:find("watch.lua: " .. folder .. ": it was removed\n", 1, true), result.errors)
    end)

    it("says in one line what is wrong", function()
        for why, arguments in pairs {
            ["which folder, and what is done? (see --help)"] = { folder },
            ["/nowhere/folder: " .. luring.strerror(luring.ENOENT)] = { "/nowhere/folder", "true" },
            ["/dev/null: " .. luring.strerror(luring.ENOTDIR)] = { "/dev/null", "true" },
            ["/nowhere/command: " .. luring.strerror(luring.ENOENT)] = { folder, "/nowhere/command" },
        } do
            local result = child.shell(child.example("watch.lua", (unpack or table.unpack)(arguments)))
            assert.equal("watch.lua: " .. why .. "\n", result.output)
            assert.equal(1, result.status)
        end
    end)
end)
