-- A channel hands values from tasks to tasks, in order; up to `n` wait in it.

local part = ...
local task = part "task"
local raise = part "place".raise

local channel = { public = {} }

local Channel = {}
Channel.__index = Channel

-- A queue that can be taken from at both ends, and from within.
local function queue()
    return { first = 1, last = 0 }
end

local function put(q, x)
    q.last = q.last + 1
    q[q.last] = x
end

-- Puts a box that has been handed out before all that has not been, and among those in its turn.
local function put_back(q, box)
    local place = q.first - 1
    q.first = place
    while place < q.last do
        local other = q[place + 1]
        if not other or not other.turn or other.turn > box.turn then break end
        q[place] = other
        place = place + 1
    end
    q[place] = box
end

local function take(q)
    while q.first <= q.last do
        local x = q[q.first]
        q[q.first] = nil
        q.first = q.first + 1
        if x then return x end
    end
end

local function remove(q, x)
    for place = q.first, q.last do
        if q[place] == x then q[place] = false end
    end
end

-- Values stand in boxes, since false is one.
function channel.public.channel(n)
    n = n or 0
    if not part("options").is_count(n, 0) then
        raise("bad argument #1 to 'channel' (a number from 0 on expected)")
    end
    return setmetatable({
        room = n, held = 0, handed = 0, kept = queue(), senders = queue(), receivers = queue(),
    }, Channel)
end

local CLOSED = "closed"

-- A receiver that was cancelled before it got its value. Of several, each has the turn in which its value
-- was handed out.
local function give_back(t)
    local self = t.waits_on
    local value, turn = t.b, t.c
    task.unwake(t)
    local other = take(self.receivers)
    if other then
        other.undo = give_back
        task.wake(other, true, value, turn)
    else
        put_back(self.kept, { value, turn = turn })
        self.held = self.held + 1
    end
end

function Channel:try_send(value)
    if value == nil then raise("bad argument #1 to 'send' (nil can't be sent)") end
    if self.closed then return nil, CLOSED end
    local t = take(self.receivers)
    if t then
        local turn = self.handed + 1
        self.handed = turn
        t.undo = give_back
        task.wake(t, true, value, turn)
        return true
    end
    if self.held < self.room then
        put(self.kept, { value })
        self.held = self.held + 1
        return true
    end
    return false
end

local function leave_sending(t)
    remove(t.waits_on.senders, t)
    task.give_up(t)
end

function Channel:send(value)
    if value == nil then raise("bad argument #1 to 'send' (nil can't be sent)") end
    local t = task.me()
    task.about_to_park(t)
    local sent, why = self:try_send(value)
    if sent or why then return sent, why end
    put(self.senders, t)
    t.waits_on, t.value = self, value
    local done = task.park(t, leave_sending, "channel")
    t.value = nil
    if not done then return nil, CLOSED end
    return true
end

-- A value that is there: true and it; else false.
local function ready(self)
    local box = take(self.kept)
    if box then
        self.held = self.held - 1
        local sender = self.held < self.room and take(self.senders)
        if sender then
            put(self.kept, { sender.value })
            self.held = self.held + 1
            task.wake(sender, true)
        end
        return true, box[1]
    end
    local sender = take(self.senders)
    if sender then
        task.wake(sender, true)
        return true, sender.value
    end
    return false
end

function Channel:try_recv()
    local there, value = ready(self)
    if there then return value end
    if self.closed then return nil, CLOSED end
    return nil
end

local function leave_receiving(t)
    remove(t.waits_on.receivers, t)
    task.give_up(t)
end

function Channel:recv()
    local t = task.me()
    task.about_to_park(t)
    local there, value = ready(self)
    if there then return value end
    if self.closed then return nil, CLOSED end
    put(self.receivers, t)
    t.waits_on = self
    there, value = task.park(t, leave_receiving, "channel")
    if not there then return nil, CLOSED end
    return value
end

-- What is in it can still be received; who waits to send is told.
function Channel:close()
    if self.closed then return end
    self.closed = true
    while true do
        local t = take(self.receivers)
        if not t then break end
        task.wake(t, false)
    end
    while true do
        local t = take(self.senders)
        if not t then break end
        task.wake(t, false)
    end
end

-- for value in channel:values() do ... end
function Channel:values()
    return function() return (self:recv()) end
end

return channel
