-- A pipe and two kinds of sockets: what comes out of one end went into the other.

local luring = require "luring"
local drive = require "drive"
local bytes = require "model.bytes"

local unpack = table.unpack or unpack
local ECANCELED, ENOENT, EALREADY = -luring.ECANCELED, -luring.ENOENT, -luring.EALREADY
local ENOBUFS, ETIME = -luring.ENOBUFS, -luring.ETIME

local BUFFERS = 4 -- of the group

local Streams = {}

local kinds = {
    pipe = function() return luring.pipe2() end,
    unix = function() return luring.socketpair() end,
    tcp = function()
        local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local to = luring.tcp_connect(luring.getsockname(listener))
        local ring = luring.queue_init(1, 0)
        local from = drive.one(ring, "accept", listener, 0)
        luring.queue_exit(ring)
        luring.close_fd(listener)
        return from, to
    end,
}

function Streams:open_streams()
    self.streams, self.views = {}, {}
    for number, kind in ipairs { "pipe", "unix", "tcp" } do
        local from, to = kinds[kind]()
        self.streams[number] = {
            number = number, kind = kind, is_socket = kind ~= "pipe", from = from, to = to,
            written = 0, read = 0, -- bytes
        }
    end
    if self.dice:once(2) and luring.can "buf_ring" then
        local flags = self.dice:once(2) and luring.can "buf_ring_inc" and luring.IOU_PBUF_RING_INC or 0
        local group = luring.buf_ring(self.ring, BUFFERS, self.dice:pick { 64, 1000, 4096 }, flags)
        if type(group) ~= "userdata" then return end
        group:manual(self.dice:once(2))
        self.group = group
    end
end

function Streams:close_streams()
    for _, stream in ipairs(self.streams) do drive.close(stream.from, stream.to) end
end

local function buffer_of(data)
    local buffer = luring.buffer(#data)
    buffer:set(1, data)
    return buffer
end

-- What a writer may do: the action, and its arguments for the content.
local writers = {
    { "write", function(data) return { data, -1 } end },
    { "write", function(data) return { buffer_of(data), -1 } end },
    { "writev", function(data) return { { data:sub(1, 7), "", data:sub(8) }, -1, 0 } end },
    { "send", function(data) return { data, 0 } end, socket = true },
    { "send", function(data) return { data, luring.MSG_WAITALL } end, socket = true },
    { "send", function(data) return { { data:sub(1, 100), data:sub(101) }, 0 } end, socket = true },
    { "sendmsg", function(data) return { { data = data }, 0 } end, socket = true },
    { "send_zc", function(data) return { data, 0, luring.IORING_SEND_ZC_REPORT_USAGE } end, socket = "tcp" },
}

local function fits(choice, stream)
    return not choice.socket or stream.is_socket and (choice.socket == true or choice.socket == stream.kind)
end

-- Queues a write of `n` bytes at a place of the stream, which has no other there.
function Streams:write(stream, from, n, done)
    local choice
    repeat choice = self.dice:pick(writers) until fits(choice, stream) and drive.has(choice[1])
    local data = bytes.of(stream.number, from, n)
    local first = true
    return self:act(choice[1], { stream.to, unpack(choice[2](data)) }, function(res, _, over)
        if first then
            self:check(res <= n, "more was written than given")
            stream.written = stream.written + math.max(res, 0)
        end
        first = false
        if over then done() end
    end)
end

function Streams:write_some()
    local stream = self.dice:pick(self.streams)
    if stream.writing then return end
    stream.writing = true
    local n = self.dice:roll(self.dice:weigh { { 4, 200 }, { 2, 5000 }, { 1, 60000 } })
    if not self:write(stream, stream.written, n, function() stream.writing = nil end) then stream.writing = nil end
end

-- Two sends, one behind the other in a chain: the second is at the place where the first ends.
function Streams:write_chain()
    local stream = self.dice:pick(self.streams)
    if stream.writing or not stream.is_socket or luring.sq_space_left(self.ring) < 2 then return end
    local n, left, before = self.dice:roll(30000), 2, stream.written
    local function done()
        left = left - 1
        if left == 0 then stream.writing = nil end
    end
    stream.writing = true
    local tickets = {}
    for i = 1, 2 do
        local data = bytes.of(stream.number, before + (i - 1) * n, n)
        local ticket
        ticket = self:act("send", { stream.to, data, luring.MSG_WAITALL }, function(res)
            stream.written = stream.written + math.max(res, 0)
            done()
        end)
        ticket.whole = n
        tickets[i] = ticket
    end
    self:chain(tickets, {})
end

function Streams:arrive(stream, res, data, peeked)
    if res <= 0 then return end
    self:check(#data == res, "the result has", #data, "bytes, and res is", res)
    self:check(data == bytes.of(stream.number, stream.read, res), "other bytes came of stream", stream.number)
    if not peeked then stream.read = stream.read + res end
end

local function string_of(value, res) return type(value) == "string" and value or value:sub(1, res) end

local readers = {
    { "read", function(_, n) return { n, -1 } end },
    { "read", function(_, n) return { luring.buffer(n), -1 } end },
    { "read", function(model) return { model.group, -1 } end, group = true },
    { "readv", function(_, n) return { { n, 1, n }, -1, 0 } end, list = true },
    { "read_multishot", function(model) return { model.group, -1 } end, group = true, pipe = true },
    { "recv", function(_, n) return { n, 0 } end, socket = true },
    { "recv", function(_, n) return { n, luring.MSG_PEEK } end, socket = true, peeks = true },
    { "recv", function(_, n) return { luring.buffer(n):view(math.min(2, n)), 0 } end, socket = true },
    { "recv", function(model) return { model.group, 0 } end, socket = true, group = true },
    { "recv", function(model) return { model.group, luring.MSG_WAITALL } end, socket = true, group = true },
    { "recvmsg", function(_, n) return { { size = n, control = 64 }, 0 } end, socket = true, message = true },
    { "recv_multishot", function(model) return { model.group, 0 } end, socket = true, group = true },
}

function Streams:read_some()
    local stream = self.dice:pick(self.streams)
    if stream.reading then return end
    local choice
    repeat choice = self.dice:pick(readers)
    until fits(choice, stream) and (not choice.group or self.group) and drive.has(choice[1])
        and (not choice.pipe or not stream.is_socket and luring.can(choice[1]))
    stream.reading = true
    local n = self.dice:roll(self.dice:weigh { { 3, 100 }, { 2, 8000 } })
    local arguments = choice[2](self, n)
    local ticket = self:act(choice[1], { stream.from, unpack(arguments) }, function(res, value, over)
        if choice.list then value = res > 0 and table.concat(value) or "" end
        if choice.message then value = res >= 0 and value.data or "" end
        if res > 0 then
            self:arrive(stream, res, string_of(value, res), choice.peeks)
            if choice.group and type(value) ~= "string" then self:have(value) end
        elseif res == ENOBUFS then
            self:give_all()
        end
        if over then stream.reading = nil end
    end)
    if not ticket then
        stream.reading = nil
    elseif self.dice:once(6) and luring.sq_space_left(self.ring) > 0 then
        self:act("link_timeout", { ticket.key, 0.002 }, function(res)
            self:check(res == ETIME or res == ECANCELED or res == EALREADY or res == ENOENT, "a link_timeout gave", res)
        end)
    end
end

-- Views of a manual group are kept for a while, given back, or just forgotten.
function Streams:have(view)
    self.views[1 + #self.views % 4] = view
    if self.dice:once(2) then self:give_all() end
end

function Streams:give_all()
    for i, view in pairs(self.views) do
        if self.dice:once(2) then pcall(self.group.give, self.group, view) end
        self.views[i] = nil
    end
    collectgarbage()
end

-- Reads what was written and not read; false when all is.
function Streams:read_rest()
    local left = false
    for _, stream in ipairs(self.streams) do
        self:check(stream.read <= stream.written or stream.writing, "bytes came that nobody has written")
        if stream.read < stream.written and not stream.reading then
            left, stream.reading = true, true
            local n = math.min(stream.written - stream.read, bytes.PERIOD)
            local ticket = self:act("read", { stream.from, n, -1 }, function(res, data)
                stream.reading = nil
                self:check(res > 0, "a read of what was written gave", res)
                self:arrive(stream, res, data)
            end)
            if not ticket then stream.reading = nil end
        end
    end
    return left
end

-- All buffers are the kernel's again when nobody has a view.
function Streams:check_group()
    if not self.group then return end
    self.views = {}
    drive.collect()
    self:check(self.group:available() == BUFFERS, "only", self.group:available(), "buffers are back")
end

return Streams
