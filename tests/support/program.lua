-- An example that runs beside a spec, which is its client.

local luring = require "luring"
local child = require "child"
local drive = require "drive"

local program = {}
program.__index = program

-- Starts an example.
function program.start(name, ...)
    local self = setmetatable({ ring = luring.queue_init(8, 0), errors = os.tmpname(), text = "" }, program)
    local from, to = luring.pipe2()
    local errors = luring.open_file(self.errors, "w+")
    self.pid, self.process = luring.posix_spawn {
        "sh", "-c", "exec " .. child.example(name, ...), stdin = from, stdout = to, stderr = errors,
    }
    drive.close(to, errors)
    assert(self.pid > 0, self.pid)
    self.output = from
    return self
end

-- Reads on: whether there was anything.
local function more(self)
    local res, data = drive.one(self.ring, "read", self.output, 65536, -1)
    assert(res >= 0, res)
    self.text = self.text .. data
    return res > 0
end

-- All of its output so far, once that has `pattern`: what the pattern captures.
function program:wait(pattern)
    while not self.text:find(pattern) do
        assert(more(self), self.text .. child.contents(self.errors))
    end
    return self.text:match(pattern)
end

-- Sends it a signal.
function program:signal(signal) luring.pidfd_send_signal(self.process, signal) end

-- How many sockets it has.
function program:sockets()
    local count = 0
    local folder = ("/proc/%d/fd/"):format(self.pid)
    for fd in pairs(luring.readdir(folder)) do
        local leads_to = luring.readlink(folder .. fd)
        if type(leads_to) == "string" and leads_to:find("^socket:") then count = count + 1 end
    end
    return count
end

-- How many it has once it has no more than `enough`, or after a while: connections that have ended are closed
-- a moment later. A failure takes its time, success doesn't.
function program:sockets_left(enough)
    local limit = luring.now() + 20
    while self:sockets() > enough and luring.now() < limit do drive.one(self.ring, "timeout", 0.01, 0, 0) end
    return self:sockets()
end

-- Waits for its end: `{status=, output=, errors=}`, the status as a shell has it.
function program:finish()
    while more(self) do end -- luacheck: ignore 542
    drive.one(self.ring, "poll_add", self.process, luring.POLLIN)
    local ended = luring.waitid_now(luring.P_PIDFD, self.process)
    luring.queue_exit(self.ring)
    drive.close(self.output, self.process)
    local result = {
        status = (ended.code == luring.CLD_EXITED and 0 or 128) + ended.status,
        output = self.text,
        errors = child.contents(self.errors),
    }
    os.remove(self.errors)
    self.over = true
    return result
end

-- Ends it, if a spec has failed before it did.
function program:kill()
    if self.over then return end
    self:signal(luring.SIGKILL)
    self:finish()
end

-- Sends all of `data` on a connection, ends that direction if `close`, and reads all that comes
-- until the peer's end.
function program.converse(ring, fd, data, close)
    local got, done = {}, false
    luring.send(ring, fd, data, luring.MSG_WAITALL, function(cqe, res)
        luring.cqe_seen(ring, cqe)
        assert(res == #data, res)
        if close then luring.shutdown_fd(fd, luring.SHUT_WR) end
    end)
    local function receive()
        luring.recv(ring, fd, 65536, 0, function(cqe, res, part)
            luring.cqe_seen(ring, cqe)
            got[#got + 1] = part
            if res > 0 then return receive() end
            done = res
        end)
    end
    receive()
    while not done do drive.turn(ring) end
    return table.concat(got), done
end

return program
