-- Random sequences of actions on one ring, beside a small model that knows what must come back:
-- each action ends exactly once, bytes arrive as they were sent, a file holds what was written,
-- every connection and every message comes, and when the ring has ended nothing is kept.

local luring = require "luring"
local drive = require "drive"
local Dice = require "dice"

local unpack = table.unpack or unpack
local EAGAIN, EBUSY, EINTR, ETIME = -luring.EAGAIN, -luring.EBUSY, -luring.EINTR, -luring.ETIME

local Model = {}
Model.__index = Model

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
        if not luring.more(flags) then
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
    for i = 1, #arguments do all[i], n = arguments[i], i end
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
    luring.do_cqes(self.other)
end

local STEPS = {
    { 12, "write_some" }, { 14, "read_some" }, { 3, "write_chain" }, { 2, "give_all" },
    { 6, "write_file" }, { 6, "read_file" },
    { 3, "connect" }, { 3, "accept" }, { 3, "message" }, { 3, "timeout" }, { 2, "update_timeout" }, { 2, "poll" },
    { 5, "cancel" }, { 1, "cancel_more" }, { 3, "make_chain" },
}

local ONE_THREAD = (luring.IORING_SETUP_SINGLE_ISSUER or 0) + (luring.IORING_SETUP_DEFER_TASKRUN or 0)
local FLAGS = { 0, 0, luring.IORING_SETUP_COOP_TASKRUN or 0, ONE_THREAD }

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
    local model = setmetatable({
        seed = seed, dice = dice, log = {},
        -- Those that have not ended, and how many; and the callbacks of all.
        live = {}, open = 0, callbacks = setmetatable({}, { __mode = "k" }),
    }, Model)
    model.ring, model.auto_seen = new_ring(dice)
    model:open_streams()
    model:open_file()
    model:open_others()
    return model
end

function Model:step()
    self[self.dice:weigh(STEPS)](self)
    if self.dice:once(3) then self:submit() end
    if self.dice:once(4) then self:submit(1, 0.001) end
    if self.dice:once(3) then self:reap() end
    if self.dice:once(40) then collectgarbage() end
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
        luring.do_cqes(self.other)
    end
    -- First what goes on for ever, then the bytes: a zero-copy send ends when the peer has read it.
    repeat
        if turns % 20 == 0 then self:act("cancel_all", {}, function() end) end
        turn("something does not end")
    until self.open == 0 or turns > 40
    while self:read_rest() or self.open > 0 do turn("bytes do not come") end
    self:check(luring.in_flight(self.ring) == 0, luring.in_flight(self.ring), "in flight")
    self:check(next(self.expected) == nil, "a message is missing, or came twice")
    while self:accept_rest() do turn("a connection does not come") end
    self:act("cancel_all", {}, function() end)
    while self.open > 0 do turn("a multishot does not end") end
    self:check_file()
    self:check_group()
end

function Model:close()
    luring.queue_exit(self.ring)
    self:close_streams()
    self:close_others()
    luring.close_fd(self.file)
end

for _, part in ipairs { "streams", "file", "others", "chains" } do
    for name, method in pairs(require("model." .. part)) do Model[name] = method end
end

local function run(seed)
    local model = Model.new(seed)
    for _ = 1, 20 + model.dice:roll(100) do model:step() end
    -- One in three ends in the middle of all.
    if not model.dice:once(3) then model:settle() end
    model:close()
    return model.callbacks
end

-- Runs the sequence of this seed, and raises what does not hold.
return function(seed)
    local before = drive.descriptors()
    local callbacks = run(seed)
    local after = drive.open_descriptors(before)
    for _, name in pairs(callbacks) do error(("seed %d: the callback of a %s is kept"):format(seed, name), 0) end
    if after > before then error(("seed %d: %d descriptors before, %d after"):format(seed, before, after), 0) end
end
