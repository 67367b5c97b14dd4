-- Random sequences of actions on one ring, beside a small model that knows what must come back:
-- each action ends exactly once, bytes arrive as they were sent, a file holds what was written,
-- every connection and every message comes, and when the ring has ended nothing is kept.

local luring = require "luring"
local drive = require "drive"
local Dice = require "dice"

local unpack = table.unpack or unpack
local ECANCELED, ENOENT, EALREADY = -luring.ECANCELED, -luring.ENOENT, -luring.EALREADY
local EAGAIN, EBUSY, EINTR, ENOBUFS, ETIME = -luring.EAGAIN, -luring.EBUSY, -luring.EINTR, -luring.ENOBUFS, -luring.ETIME

local Model = {}
Model.__index = Model

-- Bytes that tell by themselves where in a stream they are: its period is longer than what is
-- read at once, and a prime.
local PERIOD = 65521
local text = {}
do
    local dice = Dice.new(42)
    for i = 1, PERIOD do text[i] = string.char(dice:roll(256) - 1) end
    text = table.concat(text)
    text = text .. text
end

-- `n` bytes of the stream with this number, after the first `from`.
local function bytes(number, from, n)
    local start = (from + number * 7919) % PERIOD
    return text:sub(start + 1, start + n)
end

local BLOCK, BLOCKS = 512, 64 -- of the file

---------------------------------------------------------------------------- what is true always

function Model:note(...) self.log[#self.log + 1] = table.concat({ ... }, " ") end

function Model:check(holds, ...)
    if holds then return end
    local first = math.max(1, #self.log - 60)
    error(("seed %d: %s\n%s"):format(self.seed, table.concat({ ... }, " "), table.concat(self.log, "\n", first)), 0)
end

-- Queues an action whose completions `ended(res, value, over)` hears of. Nil when the queue is full.
function Model:act(name, arguments, ended)
    local ticket = { name = name, number = #self.log + 1, over = false }
    local seen_last = self.dice:once(2)
    -- Until it is seen, a buffer's bytes count as the kernel's.
    for _, argument in pairs(arguments) do seen_last = seen_last and getmetatable(argument) ~= "luring.buffer" end
    local function callback(cqe, res, value, flags)
        flags = flags or luring.cqe_flags(self.ring, cqe)
        self:check(not ticket.over, name, "of", ticket.number, "ended twice")
        if not seen_last and not self.auto_seen then luring.cqe_seen(self.ring, cqe) end
        if not luring.more(flags) or ticket.once then
            ticket.over = true
            self.open = self.open - 1
            self.live[ticket] = nil
        end
        self:note(("   %d: %s gave %d%s"):format(ticket.number, name, res, ticket.over and "" or ", and goes on"))
        if self.dice:once(30) then collectgarbage() end
        if ticket.chain then self:in_chain(ticket, res) end
        ended(res, value, ticket.over, flags)
        if seen_last and not self.auto_seen then luring.cqe_seen(self.ring, cqe) end
    end
    self.callbacks[callback] = name
    local all, n = {}, 0
    for i = 1, arguments.n or #arguments do all[i], n = arguments[i], i end
    all[n + 1] = callback
    local key = luring[name](self.ring, unpack(all, 1, n + 1))
    if not key then return nil end
    ticket.key = key
    self.open = self.open + 1
    self.live[ticket] = true
    self:note(("%d: %s"):format(ticket.number, name))
    return ticket
end

-- A ticket that is not over, if there is one. They are in no order, so the dice decides by number.
function Model:some_ticket(which)
    local all = {}
    for ticket in pairs(self.live) do
        if not which or which(ticket) then all[#all + 1] = ticket end
    end
    table.sort(all, function(a, b) return a.number < b.number end)
    return #all > 0 and self.dice:pick(all) or nil
end

function Model:submit(wait, timeout)
    local res = timeout and luring.submit_and_wait(self.ring, wait, timeout) or luring.submit(self.ring)
    self:check(res >= 0 or res == ETIME or res == EBUSY or res == EAGAIN or res == EINTR, "submit gave", res)
end

function Model:reap()
    if self.dice:once(4) then luring.do_cqes(self.ring, self.dice:roll(3)) else luring.do_cqes(self.ring) end
    if self.other then luring.do_cqes(self.other) end
end

---------------------------------------------------------------------------- streams

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

function Model:add_stream(kind)
    local from, to = kinds[kind]()
    local stream = { number = #self.streams + 1, kind = kind, from = from, to = to, written = 0, read = 0, is_socket = kind ~= "pipe" }
    self.streams[#self.streams + 1] = stream
end

-- What a writer may do: the action, and its arguments for the content.
local writers = {
    { "write", function(_, data) return { data, -1 } end },
    { "write", function(model, data) return { model:buffer_of(data), -1 } end },
    { "writev", function(_, data) return { { data:sub(1, 7), "", data:sub(8) }, -1, 0 } end },
    { "send", function(_, data) return { data, 0 } end, socket = true },
    { "send", function(_, data) return { data, luring.MSG_WAITALL } end, socket = true },
    { "send", function(_, data) return { { data:sub(1, 100), data:sub(101) }, 0 } end, socket = true },
    { "sendmsg", function(_, data) return { { data = data }, 0 } end, socket = true },
    { "send_zc", function(_, data) return { data, 0, luring.IORING_SEND_ZC_REPORT_USAGE } end, socket = "tcp" },
}

local function fits(choice, stream)
    return not choice.socket or stream.is_socket and (choice.socket == true or choice.socket == stream.kind)
end

-- Queues a write of `n` bytes at a place of the stream, which has no other there.
function Model:write(stream, from, n, only, done)
    local choice
    repeat choice = self.dice:pick(writers) until fits(choice, stream) and drive.has(choice[1]) and (not only or choice[1] == only)
    local data = bytes(stream.number, from, n)
    local first = true
    return self:act(choice[1], { stream.to, unpack(choice[2](self, data)) }, function(res, _, over)
        if first then
            self:check(res <= n, "more was written than given")
            stream.written = stream.written + math.max(res, 0)
        end
        first = false
        if over then done() end
    end)
end

function Model:write_some()
    local stream = self.dice:pick(self.streams)
    if stream.writing then return end
    stream.writing = true
    local n = self.dice:weigh { { 4, self.dice:roll(200) }, { 2, self.dice:roll(5000) }, { 1, self.dice:roll(60000) } }
    if not self:write(stream, stream.written, n, nil, function() stream.writing = nil end) then stream.writing = nil end
end

-- Two sends, one behind the other in a chain: the second is at the place where the first ends.
function Model:write_chain()
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
        local data = bytes(stream.number, before + (i - 1) * n, n)
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

function Model:arrive(stream, res, data, peeked)
    if res <= 0 then return end
    self:check(#data == res, "the result has", #data, "bytes, and res is", res)
    self:check(data == bytes(stream.number, stream.read, res), "other bytes came of stream", stream.number)
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
    { "recvmsg", function(_, n) return { { size = n, control = 64 }, 0 } end, socket = true, message = true },
    { "recv_multishot", function(model) return { model.group, 0 } end, socket = true, group = true },
}

function Model:read_some()
    local stream = self.dice:pick(self.streams)
    if stream.reading then return end
    local choice
    repeat choice = self.dice:pick(readers)
    until fits(choice, stream) and (not choice.group or self.group) and drive.has(choice[1])
        and (not choice.pipe or not stream.is_socket and luring.can(choice[1]))
    stream.reading = true
    local n = self.dice:weigh { { 3, self.dice:roll(100) }, { 2, self.dice:roll(8000) } }
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
function Model:have(view)
    self.views[1 + #self.views % 4] = view
    if self.dice:once(2) then self:give_all() end
end

function Model:give_all()
    for i, view in pairs(self.views) do
        if self.dice:once(2) then pcall(self.group.give, self.group, view) end
        self.views[i] = nil
    end
    collectgarbage()
end

---------------------------------------------------------------------------- the file

function Model:buffer_of(data)
    local buffer = luring.buffer(#data)
    buffer:set(1, data)
    return buffer
end

-- Blocks that nobody writes now, and for a write nobody reads: the first and how many.
function Model:free_blocks(writing)
    local first, n = self.dice:roll(BLOCKS), self.dice:roll(6)
    n = math.min(n, BLOCKS - first + 1)
    for i = first, first + n - 1 do
        if self.writing[i] or writing and (self.reading[i] or 0) > 0 then return nil end
    end
    return first, n
end

function Model:file_fd() return self.slots and self.dice:once(3) and luring.fixed(0) or self.file end

function Model:write_file()
    local first, n = self:free_blocks(true)
    if not first then return end
    local data = {}
    for i = 1, n do data[i] = bytes(100, self.dice:roll(PERIOD), BLOCK) end
    local all, at = table.concat(data), (first - 1) * BLOCK
    local name, arguments = "write", { self:file_fd(), all, at }
    local way = self.dice:roll(3)
    if way == 2 then name, arguments = "writev", { self:file_fd(), data, at, 0 } end
    if way == 3 and self.registered and not self.registered_used then
        self.registered_used = true
        local view = self.registered:view(1, #all)
        view:set(1, all)
        name, arguments = "write_fixed", { self:file_fd(), view, at, 0 }
    end
    for i = first, first + n - 1 do self.writing[i] = true end
    local ticket = self:act(name, arguments, function(res)
        for i = first, first + n - 1 do self.writing[i] = nil end
        if name == "write_fixed" then self.registered_used = nil end
        if res <= 0 then return end
        self:check(res <= #all, "more was written than given")
        self.content = self.content:sub(1, at) .. all:sub(1, res) .. self.content:sub(at + res + 1)
    end)
    if not ticket then
        for i = first, first + n - 1 do self.writing[i] = nil end
        if name == "write_fixed" then self.registered_used = nil end
    elseif self.dice:once(5) then
        luring.sqe_set_flags(self.ring, ticket.key, luring.IOSQE_ASYNC)
    end
end

function Model:read_file()
    local first, n = self:free_blocks()
    if not first then return end
    local at, size = (first - 1) * BLOCK, n * BLOCK
    local name, arguments = "read", { self:file_fd(), size, at }
    local way = self.dice:roll(4)
    if way == 2 then arguments[2] = luring.buffer(size) end
    if way == 3 then name, arguments = "readv", { self:file_fd(), { BLOCK, size - BLOCK }, at, 0 } end
    if way == 4 and self.registered and not self.registered_used then
        self.registered_used = true
        name, arguments = "read_fixed", { self:file_fd(), self.registered:view(1, size), at, 0 }
    end
    for i = first, first + n - 1 do self.reading[i] = (self.reading[i] or 0) + 1 end
    local function done()
        for i = first, first + n - 1 do self.reading[i] = self.reading[i] - 1 end
        if name == "read_fixed" then self.registered_used = nil end
    end
    local ticket = self:act(name, arguments, function(res, value)
        done()
        if res < 0 then return end
        self:check(res == size, "only", res, "bytes of the file")
        if name == "readv" then value = table.concat(value) end
        self:check(string_of(value, res) == self.content:sub(at + 1, at + size), "the file holds something else")
    end)
    if not ticket then done() end
end

---------------------------------------------------------------------------- connections, messages, time

function Model:connect()
    local fd = luring.socket_fd(luring.AF_INET, luring.SOCK_STREAM)
    local ticket = self:act("connect", { fd, luring.getsockname(self.listener) }, function(res)
        if res == 0 then self.connected = self.connected + 1 else self.unsure = self.unsure + 1 end
        self.sockets[fd] = nil
        luring.close_fd(fd)
    end)
    if ticket then self.sockets[fd] = true else luring.close_fd(fd) end
end

function Model:accept()
    if self.accepting or not drive.has "accept_multishot" then return end
    self.accepting = self:act("accept_multishot", { self.listener, 0 }, function(res, _, over)
        if over then self.accepting = nil end
        if res < 0 then return end
        self.accepted = self.accepted + 1
        luring.close_fd(res)
    end)
end

-- One that was sent, or that came: in either order.
function Model:expect(number, by)
    local left = (self.expected[number] or 0) + by
    self.expected[number] = left ~= 0 and left or nil
end

function Model:message()
    self.sent = self.sent + 1
    local number = self.sent
    local ticket = self:act("msg_ring", { luring.ring_fd(self.other), number % 1000, number, 0 }, function(res)
        if res == 0 then self:expect(number, 1) end
    end)
    if not ticket then self.sent = self.sent - 1 end
end

function Model:timeout()
    local after = self.dice:weigh { { 3, 0.0005 }, { 1, 50 } }
    local ticket = self:act("timeout", { after, 0, 0 }, function(res)
        self:check(res == ETIME or res == ECANCELED, "a timeout gave", res)
    end)
    if ticket then ticket.is_timeout = true end
end

function Model:update_timeout()
    local ticket = self:some_ticket(function(one) return one.is_timeout end)
    if not ticket then return end
    local name, arguments = "timeout_update", { 0.0005, ticket.key, 0 }
    if self.dice:once(2) then name, arguments = "timeout_remove", { ticket.key, 0 } end
    self:act(name, arguments, function(res)
        self:check(res == 0 or res == ENOENT or res == EALREADY or res == ECANCELED, name, "gave", res)
    end)
end

function Model:poll()
    local stream = self.dice:pick(self.streams)
    local name = self.dice:pick { "poll_add", "poll_multishot" }
    if not drive.has(name) then return end
    self:act(name, { stream.from, luring.POLLIN }, function(res)
        self:check(res == ECANCELED or res > 0 and luring.has(res, luring.POLLIN), "a poll gave", res)
    end)
end

---------------------------------------------------------------------------- cancelling and chains

function Model:cancel()
    local ticket = self.dice:once(6) and self.last or self:some_ticket()
    if not ticket then return end
    self.last = ticket
    local was_over = ticket.over
    self:act("cancel", { ticket.key, 0 }, function(res)
        self:check(res == 0 or res == ENOENT or res == EALREADY or res == ECANCELED, "cancel gave", res)
        self:check(not was_over or res == ENOENT or res == ECANCELED, "what had ended was cancelled:", res)
    end)
end

function Model:cancel_more()
    if self.dice:once(2) then
        self:act("cancel_fd", { self.dice:pick(self.streams).from, luring.IORING_ASYNC_CANCEL_ALL }, function() end)
    else
        self:act("cancel_all", {}, function() end)
    end
end

-- Members end in their order, and after one that failed the others are cancelled.
function Model:chain(tickets, options)
    local keys = {}
    for i, ticket in ipairs(tickets) do
        keys[i] = ticket.key
        ticket.chain, ticket.place = { at = 0, hard = options.hard }, i
        ticket.chain = tickets[1].chain
    end
    self:check(luring.chain(self.ring, keys, options), "no chain was made")
end

function Model:in_chain(ticket, res)
    local chain = ticket.chain
    self:check(ticket.place > chain.at, "a chain's", ticket.place, "after its", chain.at)
    chain.at = ticket.place
    if chain.failed then self:check(res == ECANCELED, "a broken chain goes on with", res) end
    if not chain.hard and (res < 0 or ticket.whole and res < ticket.whole) then chain.failed = true end
end

function Model:make_chain()
    local n = 1 + self.dice:roll(4)
    if luring.sq_space_left(self.ring) < n then return end
    local tickets = {}
    for i = 1, n do
        if self.dice:once(5) then
            tickets[i] = self:act("write", { -1, "nowhere", -1 }, function(res)
                self:check(res == -luring.EBADF or res == ECANCELED, "a write to nowhere gave", res)
            end)
        else
            tickets[i] = self:act("nop", {}, function(res) self:check(res == 0 or res == ECANCELED, "a nop gave", res) end)
        end
    end
    self:chain(tickets, { hard = self.dice:once(3) or nil })
end

---------------------------------------------------------------------------- a whole sequence

local steps = {
    { 12, "write_some" }, { 14, "read_some" }, { 3, "write_chain" }, { 6, "write_file" }, { 6, "read_file" }, { 3, "connect" },
    { 3, "accept" }, { 3, "message" }, { 3, "timeout" }, { 2, "update_timeout" }, { 2, "poll" }, { 5, "cancel" }, { 1, "cancel_more" },
    { 3, "make_chain" }, { 2, "give_all" },
}

local FLAGS = { 0, 0, luring.IORING_SETUP_COOP_TASKRUN or 0, (luring.IORING_SETUP_SINGLE_ISSUER or 0) + (luring.IORING_SETUP_DEFER_TASKRUN or 0) }

-- The ring, and whether its completions are seen by themselves.
local function new_ring(dice)
    local entries = dice:pick { 4, 8, 64 }
    local params = { flags = dice:pick(FLAGS), auto_seen = dice:once(3), auto_submit = dice:once(3) }
    if dice:once(2) then params.cq_entries = 64 end -- and what overflows
    local ok, ring = pcall(luring.queue_init_params, entries, params)
    if ok then return ring, params.auto_seen end
    return luring.queue_init(entries, 0), false -- an older kernel
end

function Model.new(seed)
    local dice = Dice.new(seed)
    for _ = 1, 10 do dice:roll(2) end
    local model = setmetatable({
        seed = seed, dice = dice, log = {}, open = 0, live = {}, callbacks = setmetatable({}, { __mode = "k" }),
        streams = {}, views = {}, writing = {}, reading = {}, content = ("\0"):rep(BLOCK * BLOCKS),
        connected = 0, accepted = 0, unsure = 0, sent = 0, expected = {}, sockets = {},
    }, Model)
    model.ring, model.auto_seen = new_ring(dice)
    for _, kind in ipairs { "pipe", "unix", "tcp" } do model:add_stream(kind) end
    model.listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
    local path = os.tmpname()
    model.file = luring.open_file(path, luring.O_RDWR)
    os.remove(path)
    luring.ftruncate_fd(model.file, BLOCK * BLOCKS)
    if dice:once(2) then
        local group = luring.can "buf_ring" and luring.buf_ring(model.ring, 4, dice:pick { 64, 1000, 4096 }, 0)
        if type(group) == "userdata" then
            group:manual(dice:once(2))
            model.group = group
        end
    end
    if dice:once(2) then model.slots = luring.register_files(model.ring, { model.file }) == 0 end
    if dice:once(2) then
        model.registered = luring.buffer(6 * BLOCK)
        if luring.register_buffers(model.ring, { model.registered }) ~= 0 then model.registered = nil end
    end
    if luring.can "msg_ring" then
        model.other = luring.queue_init(8, 0)
        luring.on_message(model.other, function(_, number) model:expect(number, -1) end)
    end
    return model
end

function Model:step()
    local name = self.dice:weigh(steps)
    if name == "message" and not self.other then return end
    self[name](self)
    if self.dice:once(3) then self:submit() end
    if self.dice:once(4) then self:submit(1, 0.001) end
    if self.dice:once(3) then self:reap() end
    if self.dice:once(40) then collectgarbage() end
end

function Model:read_rest(stream)
    if stream.reading then return end
    stream.reading = true
    local ticket = self:act("read", { stream.from, math.min(stream.written - stream.read, PERIOD), -1 }, function(res, data)
        stream.reading = nil
        self:check(res > 0, "a read of what was written gave", res)
        self:arrive(stream, res, data)
    end)
    if not ticket then stream.reading = nil end
end

-- Ends what is left, and looks at whether all has come.
function Model:settle()
    local turns = 0
    local function turn(what)
        turns = turns + 1
        if turns == 2000 then
            local ticket = self:some_ticket()
            self:check(false, what, ticket and ("such as the %s of %d"):format(ticket.name, ticket.number) or "")
        end
        self:submit(1, 0.01)
        self:give_all()
        luring.do_cqes(self.ring)
        if self.other then luring.do_cqes(self.other) end
    end
    -- First what goes on for ever, then the bytes: a zero-copy send ends when the peer has read it.
    repeat
        if turns % 20 == 0 then self:act("cancel_all", {}, function() end) end
        turn("something does not end")
    until self.open == 0 or turns > 40
    local left
    repeat
        left = self.open > 0
        for _, stream in ipairs(self.streams) do
            if stream.read < stream.written then
                left = true
                self:read_rest(stream)
            end
        end
        if left then turn("bytes do not come") end
    until not left
    for _, stream in ipairs(self.streams) do
        self:check(stream.read == stream.written, "bytes came that nobody has written")
    end
    self:check(luring.in_flight(self.ring) == 0, luring.in_flight(self.ring), "in flight")
    self:check(next(self.expected) == nil, "a message is missing, or came twice")
    if drive.has "accept_multishot" and luring.can "accept_multishot" then
        while self.accepted < self.connected do
            self:accept()
            turn("a connection does not come")
        end
        self:check(self.accepted <= self.connected + self.unsure, "connections that nobody has made")
        self:act("cancel_all", {}, function() end)
        while self.open > 0 do turn("a multishot does not end") end
    end
    self:check(drive.one(self.ring, "read", self.file, BLOCK * BLOCKS + 1, 0) == BLOCK * BLOCKS, "the file's size")
    self:check(select(2, drive.one(self.ring, "read", self.file, BLOCK * BLOCKS, 0)) == self.content, "the file's content")
    if self.group then
        self.views = {}
        drive.collect()
        self:check(self.group:available() == 4, "only", self.group:available(), "buffers are back")
    end
end

function Model:close()
    luring.queue_exit(self.ring)
    if self.other then luring.queue_exit(self.other) end
    for _, stream in ipairs(self.streams) do drive.close(stream.from, stream.to) end
    for fd in pairs(self.sockets) do luring.close_fd(fd) end
    drive.close(self.listener, self.file)
end

local function run(seed)
    local model = Model.new(seed)
    for _ = 1, 20 + model.dice:roll(100) do model:step() end
    -- One in three ends in the middle of all.
    if not model.dice:once(3) then model:settle() end
    model:close()
    return model.callbacks, #model.log
end

-- Runs the sequence of this seed, and raises what does not hold. How many lines of log it made.
return function(seed)
    local before = drive.descriptors()
    local callbacks, lines = run(seed)
    drive.collect()
    for _, name in pairs(callbacks) do error(("seed %d: the callback of a %s is kept"):format(seed, name), 0) end
    local after = drive.descriptors()
    if after ~= before then error(("seed %d: %d descriptors before, %d after"):format(seed, before, after), 0) end
    return lines
end
