-- Streams: sockets, pipes, and what else has bytes in order.

local luring = require "luring"
local part = ...
local failure = part "failure"
local address = part "address"
local reading = part "reading"
local scope = part "scope"
local task = part "task"
local raise, reword = part "place".raise, part "place".reword

local me, now, wait_io = task.me, task.now, task.wait_io
local ECANCELED, EINTR = -luring.ECANCELED, -luring.EINTR
local ENOBUFS = luring.ENOBUFS
local sub = string.sub

local SMALL, LARGE = part "loop".SMALL, 65536 -- how much is read at once, at first and at most

local stream = { public = {} }

local Stream = {}
Stream.__index = Stream
stream.Stream = Stream
reading.extend(Stream)

-- What each read and write looks at stands in the object itself: a look at its class costs more.
-- `odd` says that there is more to look at: a timeout, an end that has been asked for.
-- `into` is what the kernel fills: `want` bytes, or one of the buffers that many share.
local function new(fd, get, get_flags, put, put_flags)
    local t = now.task
    return setmetatable({
        fd = fd, get = get, get_flags = get_flags, put = put, put_flags = put_flags,
        buf = "", at = 1, size = 0, want = SMALL, into = t and t.loop.small or SMALL,
        reader = false, writer = false, odd = false,
    }, Stream)
end

-- The descriptor of a socket.
function stream.of_socket(fd)
    return new(fd, luring.recv, 0, luring.send, luring.MSG_WAITALL)
end

-- A pipe, a terminal: anything that is read and written as files are.
function stream.of_pipe(fd)
    return new(fd, luring.read, -1, luring.write, -1)
end

-- Whether a task waits for `op` on a descriptor. One that wanted to and could not, as within a
-- pcall of Lua 5.1, doesn't.
local function busy(t, op, fd)
    return t and t.op == op and t.fd == fd and (t.key or t.held)
end
stream.busy = busy

local REASONS = {
    ["timed out"] = luring.ETIMEDOUT, closed = luring.ECANCELED, stopping = luring.ECANCELED,
}

-- Ends the wait of the stream's reader, or of its writer, who gets nil and the reason.
local function interrupt_reader(self, why)
    if not busy(self.reader, self.get, self.fd) then return end
    self.why_read, self.odd = why, true
    self.reader.loop:interrupt(self.reader)
end

local function interrupt_writer(self, why)
    if not busy(self.writer, self.put, self.fd) then return end
    self.why_write, self.odd = why, true
    self.writer.loop:interrupt(self.writer)
end

-- ---- timeouts: one entry among the loop's deadlines a side, which is moved on when it is due ----

local ReadAlarm, WriteAlarm = {}, {}
ReadAlarm.__index, WriteAlarm.__index = ReadAlarm, WriteAlarm

-- What is cancelled before it was submitted never runs. This comes first: a read of what is there, or a write for
-- which there is room, does not end because the time was over before it could ask.
local function submit(loop)
    if luring.sq_ready(loop.ring) > 0 then luring.submit(loop.ring) end
end

function ReadAlarm:due(loop, time)
    local s = self.stream
    if not s.fd or not busy(s.reader, s.get, s.fd) then return end
    if s.read_until > time then return loop.deadlines:add(self, s.read_until) end
    submit(loop)
    interrupt_reader(s, "timed out")
end

function WriteAlarm:due(loop, time)
    local s = self.stream
    if not s.fd or not busy(s.writer, s.put, s.fd) then return end
    if s.write_until > time then return loop.deadlines:add(self, s.write_until) end
    submit(loop)
    interrupt_writer(s, "timed out")
end

-- The program's own streams may go from loop to loop, each of which has deadlines of its own.
local function arm(self, loop, alarm, class, at)
    if alarm and alarm.loop ~= loop then
        alarm.loop.deadlines:remove(alarm)
        alarm = nil
    end
    if not alarm then alarm = setmetatable({ stream = self, loop = loop }, class) end
    if alarm.at_place and alarm.at > at then loop.deadlines:remove(alarm) end
    if not alarm.at_place then loop.deadlines:add(alarm, at) end
    return alarm
end

local function check_seconds(seconds, place)
    if seconds ~= nil and (type(seconds) ~= "number" or seconds ~= seconds or seconds < 0) then
        raise("bad argument #" .. place .. " to 'settimeout' (seconds expected)")
    end
end

-- How long a read or a write may wait; nil is for ever.
function Stream:settimeout(read, write)
    check_seconds(read, 1)
    check_seconds(write, 2)
    self.read_seconds = read ~= math.huge and read or nil
    self.write_seconds = write ~= math.huge and write or nil
    self.odd = true
    return self
end

-- ---- reading ----

local again = {}

local function closed()
    return nil, "closed", luring.ECANCELED
end

-- What a wait that was ended from outside gives.
local function ended_early(self, t, why)
    if self.closer then task.wake(self.closer) end
    task.check(t)
    return nil, why, REASONS[why]
end

-- The kernel's answer to a read: data, nil at the end, or nil, message, errno; `again` if it is to be
-- asked again.
local function answer(self, t, res, data, want)
    local why = self.why_read
    if why then self.why_read = nil end
    if res > 0 then
        if res == want and want < LARGE then self.want, self.into = want * 2, want * 2 end
        if self.closer then task.wake(self.closer) end
        return data
    end
    if (why or t.doomed) and (res == ECANCELED or res == EINTR or res == -ENOBUFS) then
        return ended_early(self, t, why)
    end
    if self.closer then task.wake(self.closer) end
    if res == 0 then return nil end
    if res ~= EINTR then return failure.refused(res) end
    return again
end

local function fill_odd(self, t, n)
    local fd, get = self.fd, self.get
    if not fd or self.closing then return closed() end
    if busy(self.reader, get, fd) then raise("another task reads from this stream") end
    if self.stopping then
        task.check(t)
        return nil, "stopping", luring.ECANCELED
    end
    local want, into = self.want, self.into
    if n and n > want then
        want = n < LARGE and n or LARGE
        into = want
    end
    while true do
        self.reader = t
        local seconds = self.read_seconds
        if seconds then
            local loop = t.loop
            self.read_until = loop:now() + seconds
            self.read_alarm = arm(self, loop, self.read_alarm, ReadAlarm, self.read_until)
        end
        local res, data = wait_io(t, get, fd, into, self.get_flags)
        self.reader = false
        local text, message, errno = answer(self, t, res, data, want)
        if errno == ENOBUFS and into ~= want then
            into = want -- others have all that are shared
        elseif text ~= again then
            return text, message, errno
        end
    end
end

-- Raises where another task waits for more of what has been read: it would find it gone.
function Stream:refuse_reader()
    if busy(self.reader, self.get, self.fd) and self.reader ~= now.task then
        raise("another task reads from this stream")
    end
end

-- Gets more bytes, for the methods that read.
function Stream:fill(n)
    local t = now.task or me()
    if self.odd or self.reader then return fill_odd(self, t, n) end
    local want, into = self.want, self.into
    if n and n > want then
        want = n < LARGE and n or LARGE
        into = want
    end
    self.reader = t
    local res, data = wait_io(t, self.get, self.fd, into, self.get_flags)
    self.reader = false
    if res > 0 and res < want and not self.odd then return data end
    local text, message, errno = answer(self, t, res, data, want)
    if text == again or errno == ENOBUFS and into ~= want then return fill_odd(self, t, n) end
    return text, message, errno
end

-- ---- writing ----

local function text_of(...)
    local n = select("#", ...)
    for place = 1, n do
        local piece = select(place, ...)
        if type(piece) ~= "string" and type(piece) ~= "number" then
            raise("bad argument #" .. place .. " to 'write' (string expected, got " .. type(piece) .. ")")
        end
    end
    if n == 1 then return tostring((...)) end
    return table.concat { ... }
end

-- The kernel's answer to a write: how much is written now, or nil, message, errno, written.
local function written_now(self, t, res, written, length)
    local why = self.why_write
    if why then self.why_write = nil end
    if self.closer then task.wake(self.closer) end
    if res >= 0 then
        written = written + res
        if why ~= "closed" or written == length then return written end
    elseif res == EINTR and not why and not t.doomed then
        return written
    end
    if written > 0 then self.torn, self.odd = true, true end
    if res >= 0 or ((res == ECANCELED or res == EINTR) and (why or t.doomed)) then
        task.check(t)
        return nil, why, REASONS[why], written
    end
    local _, message, errno = failure.refused(res)
    return nil, message, errno, written
end

-- Raises where another task writes, or sends a file and waits for more of it.
local function check_writer(self, t)
    local sender = self.sender
    if busy(self.writer, self.put, self.fd) or sender and sender ~= t and busy(sender, luring.read, self.source) then
        raise("another task writes to this stream")
    end
end
stream.check_writer = check_writer

-- Writes a string, or a buffer, of which `written` bytes are written.
local function write_rest(self, t, data, written)
    local fd, put = self.fd, self.put
    if not fd or self.closing then return nil, "closed", luring.ECANCELED, written end
    check_writer(self, t)
    if self.torn then return nil, "an earlier write was ended half way", luring.EPIPE, 0 end
    local length = #data
    while written < length do
        self.writer = t
        local seconds = self.write_seconds
        if seconds then
            local loop = t.loop
            self.write_until = loop:now() + seconds
            self.write_alarm = arm(self, loop, self.write_alarm, WriteAlarm, self.write_until)
        end
        local rest = data
        if written > 0 then rest = (type(data) == "string" and sub or data.view)(data, written + 1, length) end
        local res = wait_io(t, put, fd, rest, self.put_flags)
        self.writer = false
        local sum, message, errno, so_far = written_now(self, t, res, written, length)
        if not sum then return nil, message, errno, so_far end
        written = sum
    end
    return self
end
stream.write_rest = write_rest

-- Writes everything: the stream, or nil, message, errno and how much was written.
function Stream:write(data, ...)
    local t = now.task or me()
    if type(data) ~= "string" or select("#", ...) > 0 then data = text_of(data, ...) end
    if self.odd or self.writer or data == "" then return write_rest(self, t, data, 0) end
    self.writer = t
    local res = wait_io(t, self.put, self.fd, data, self.put_flags)
    self.writer = false
    local length = #data
    if res == length and not self.odd then return self end
    local sum, message, errno, so_far = written_now(self, t, res, 0, length)
    if not sum then return nil, message, errno, so_far end
    return write_rest(self, t, data, sum)
end

-- ---- the end ----

-- Ends what waits on the stream, and closes it.
function Stream:close()
    local fd = self.fd
    if not fd or self.closing then return true end
    local function waits()
        return busy(self.reader, self.get, fd) or busy(self.writer, self.put, fd)
    end
    local t = waits() and me()
    if t then
        task.about_to_park_shielded(t) -- it may not wait here
        self.closer = t
        interrupt_reader(self, "closed")
        interrupt_writer(self, "closed")
        self.closing, self.odd = true, true
        while waits() do task.park_shielded(t, "close") end
        self.closer = nil
        if not self.fd then return true end -- its owner could not wait
    end
    local read_alarm, write_alarm = self.read_alarm, self.write_alarm
    if read_alarm then read_alarm.loop.deadlines:remove(read_alarm) end
    if write_alarm then write_alarm.loop.deadlines:remove(write_alarm) end
    local res = luring.close_fd(fd)
    self.fd, self.odd = nil, true
    reading.forget(self) -- what was read ahead is no more to be had
    scope.disown(self) -- not before: something may fail
    if res < 0 then return failure.refused(res) end
    return true
end

Stream.__close = scope.close_variable

function Stream:drop_descriptor()
    self.odd = true
    scope.drop_descriptor(self)
end

-- Gives the descriptor away, with what was read and not taken.
function Stream:release()
    local fd = self.fd
    if not fd or self.closing then return closed() end
    if busy(self.reader, self.get, fd) or busy(self.writer, self.put, fd) then
        raise("a task waits on this stream")
    end
    local unread = self.size > 0 and reading.take(self, self.size) or ""
    scope.disown(self)
    self.odd = true
    self.fd = nil
    return fd, unread
end

-- Says that nothing more will be written.
function Stream:shutdown()
    if not self.fd then return closed() end
    if self.put == luring.send then
        local res = luring.shutdown_fd(self.fd, luring.SHUT_WR)
        if res < 0 then return failure.refused(res) end
        return true
    end
    return self:close()
end

-- Reads end with "stopping" from now on.
function Stream:stop_reading()
    self.stopping, self.odd = true, true
    if self.fd then interrupt_reader(self, "stopping") end
end

function Stream:peer()
    if not self.fd then return closed() end
    local addr = luring.getpeername(self.fd)
    if type(addr) == "number" then return failure.refused(addr) end
    return address.name(addr)
end

function Stream:setopt(level, name, value)
    if not self.fd then return closed() end
    local ok, res = pcall(luring.setsockopt, self.fd, level, name, value)
    if not ok then reword(res, "setopt", 2, 1) end
    if res < 0 then return failure.refused(res) end
    return true
end

function Stream:getfd()
    return self.fd or -1
end

Stream.__tostring = function(self)
    return self.fd and "stream of fd " .. self.fd or "closed stream"
end

-- A stream of a descriptor that the program has.
function stream.public.stream(fd)
    local ok, number = pcall(luring.fileno, fd)
    if not ok then reword(number, "stream", 1, 1) end
    if number < 0 then raise("bad argument #1 to 'stream' (a descriptor expected, got " .. number .. ")") end
    local kind = luring.getsockopt(number, luring.SOL_SOCKET, luring.SO_TYPE)
    return scope.own(kind == luring.SOCK_STREAM and stream.of_socket(number) or stream.of_pipe(number))
end

return stream
