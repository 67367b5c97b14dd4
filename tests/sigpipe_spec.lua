-- A write whose reader is gone is an error of the write's, and ends no program.

local luring = require "luring"
local child = require "child"

local refuse = child.compile("refuse.c", "refuse")

-- Writes to a pipe without reader, in every way there is; then to one whose reader goes while
-- the write waits for room.
local PROGRAM = [[
local luring = require "luring"
local ring = luring.queue_init(8, 0)
local function one(name, ...)
    local got
    local arguments = { ... }
    arguments[#arguments + 1] = function(cqe, res) luring.cqe_seen(ring, cqe) got = res end
    assert(luring[name](ring, (unpack or table.unpack)(arguments)))
    return function()
        while not got do luring.submit_and_wait(ring, 1) luring.do_cqes(ring) end
        return got
    end
end
local from, to = luring.pipe2()
luring.close_fd(from)
print(one("write", to, "x", -1)() == -luring.EPIPE, one("writev", to, { "x" }, -1, 0)() == -luring.EPIPE)
from, to = luring.pipe2()
local full = one("write", to, ("x"):rep(1000000), -1)
luring.submit(ring)
luring.close_fd(from)
local res = full()
print(res == -luring.EPIPE or res > 0)
luring.close_fd(to)
]]

describe("a write whose reader is gone", function()
    it("is -EPIPE where the kernel can be told", function()
        local result = child.run(PROGRAM)
        assert.same({ status = 0, output = "true\ttrue\ntrue\n" }, result)
    end)

    it("is -EPIPE where it can't", function()
        local result = child.run(PROGRAM, ("%s pwritev2 %d"):format(child.quote(refuse), luring.EOPNOTSUPP))
        assert.same({ status = 0, output = "true\ttrue\ntrue\n" }, result)
    end)

    it("leaves the signal alone for the programs that this one starts", function()
        local ignored = child.contents("/proc/self/status"):match("SigIgn:%s*(%x+)")
        if tonumber(ignored:sub(-4), 16) % 0x2000 >= 0x1000 then return pending "SIGPIPE is ignored here" end
        local result = child.run(PROGRAM .. [[
            io.stdout:flush()
            os.execute("sh -c 'kill -PIPE $$; echo survived'")
        ]], ("%s pwritev2 %d"):format(child.quote(refuse), luring.EOPNOTSUPP))
        assert.same({ status = 0, output = "true\ttrue\ntrue\n" },
            { status = result.status, output = result.output:gsub("[^\n]*roken pipe[^\n]*\n", "") })
    end)
end)
