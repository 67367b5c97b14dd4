local luring = require "luring"
local child = require "child"

local PROGRAM = [[
local luring = require "luring"
local ok, message = pcall(function() local ring = luring.queue_init(4, 0) return ring end)
io.write(tostring(ok), " ", tostring(message))
]]

local refuse = child.compile("refuse.c", "refuse")

-- What a program prints for which io_uring_setup fails with an error.
local function refused(errno)
    local result = child.run(PROGRAM, ("%s io_uring_setup %d"):format(child.quote(refuse), errno))
    assert.equal(0, result.status, result.output)
    return result.output
end

describe("queue_init where the system refuses", function()
    local texts = {
        { "EPERM", "seccomp" },
        { "ENOSYS", "a seccomp filter or an emulator" },
        { "ENOMEM", "limit on locked memory" },
        { "EACCES", "SELinux" },
        { "EMFILE", "" },
    }
    for _, text in ipairs(texts) do
        local name, advice = text[1], text[2]
        it(("with %s says why, and what to do"):format(name), function()
            local errno = luring[name]
            local output = refused(errno)
            assert.equal("false", output:match("^%a+"))
            -- In the C library's words, which differ.
            local said = ":2: could not initialise queue: " .. luring.strerror(errno)
            assert.truthy(output:find(said, 1, true), output)
            assert.truthy(output:find(advice, 1, true), output)
        end)
    end

    it("with the sysctl says which one", function()
        -- It switches io_uring off for the whole machine, so that must be asked for.
        if os.getenv("LURING_TEST_SYSCTL") ~= "1" then return pending("LURING_TEST_SYSCTL is not 1") end
        local sysctl = "/proc/sys/kernel/io_uring_disabled"
        local file = assert(io.open(sysctl, "r+"), "only root may switch io_uring off")
        local before = file:read("*a"):match("%d")
        file:close()
        local path = os.tmpname()
        local script = io.open(path, "w")
        script:write(PROGRAM)
        script:close()
        local result = child.shell(([[
            trap 'echo %s >%s' EXIT
            trap 'exit 1' TERM INT
            echo 2 >%s || exit 3
            %s]]):format(before, sysctl, sysctl, child.command(path)))
        os.remove(path)
        assert.equal(before, child.contents(sysctl):match("%d"))
        assert.equal(0, result.status, result.output)
        local said = ":2: could not initialise queue: Operation not permitted "
            .. "(io_uring is switched off: the sysctl kernel.io_uring_disabled is 2;"
        assert.truthy(result.output:find(said, 1, true), result.output)
    end)
end)
