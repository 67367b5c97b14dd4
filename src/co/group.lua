-- Tasks that a call is made of: it waits for them, and they share the caller's scope.

local luring = require "luring"
local part = ...
local failure = part "failure"
local scope = part "scope"
local task = part "task"
local raise = part "place".raise
local unpack = table.unpack or unpack -- luacheck: ignore 143

local group = { public = {} }

local function wake_parent(t)
    task.wake(t.parent)
end

-- A task that a call is made of; it is yet to begin, so that nothing begins which the caller, for want
-- of memory, doesn't wait for.
local function make(parent, on_end, f, ...)
    return task.make(parent.loop, parent.scope, parent, on_end, f, ...)
end

local function cancel_child(t, why)
    t.callee:cancel(why)
end

-- Lets a child begin, and waits for its end: it is cancelled with its caller.
local function see_through(t, child, what)
    local outer = t.callee
    t.callee = child
    task.begin(child)
    while not child.state do task.park(t, cancel_child, what) end
    t.callee = outer
    return child
end

-- Runs `f` as a task, and waits for its end whatever comes.
function group.call_shielded(f, ...)
    local t = task.me()
    task.about_to_park_shielded(t)
    local child = task.begin(make(t, wake_parent, f, ...))
    while not child.state do task.park_shielded(t, "shield") end
    return child
end

-- Runs `f` as a task while `lock`, which the caller has, is held.
function group.call_within(lock, f, ...)
    local t = task.me()
    local child = see_through(t, make(t, wake_parent, f, ...), "call")
    lock:release()
    return child
end

local function call(is_caller, f, ...)
    local t = task.me()
    task.about_to_park(t)
    local child = make(t, wake_parent, f, ...)
    child.is_caller = is_caller
    return see_through(t, child, "call")
end

-- The same, and cancels it when the caller is cancelled.
function group.call(f, ...)
    return call(nil, f, ...)
end

-- The same, and to the program it is the caller itself.
function group.call_as_caller(f, ...)
    return call(true, f, ...)
end

-- The results of a child, or its error; a cancellation is the caller's own.
local function results(t, child)
    if child.state == "cancelled" then task.check(t) end
    return task.results_of(child, t)
end
group.results = results

function group.public.shield(f, ...)
    scope.check_function(f, "shield", 1)
    return task.results_of(group.call_shielded(f, ...), task.me())
end

-- ---- timeout ----

local Alarm = {}
Alarm.__index = Alarm

function Alarm:due()
    self.child.timed_out = true
    self.child:cancel("timed out")
end

function group.public.timeout(seconds, f, ...)
    if type(seconds) ~= "number" or seconds ~= seconds then
        raise("bad argument #1 to 'timeout' (number expected)")
    end
    scope.check_function(f, "timeout", 2)
    local t = task.me()
    task.about_to_park(t)
    local child = make(t, wake_parent, f, ...)
    local alarm = setmetatable({ child = child }, Alarm)
    local deadlines = t.loop.deadlines
    if seconds < math.huge then deadlines:add(alarm, t.loop:now() + math.max(seconds, 0)) end
    see_through(t, child, "timeout")
    deadlines:remove(alarm)
    if child.state == "cancelled" and child.timed_out then
        task.check(t)
        return nil, "timed out", luring.ETIMEDOUT
    end
    return results(t, child)
end

-- ---- several at once ----

local Several = {}
Several.__index = Several

local function one_ended(t)
    local self = t.group
    -- What can fail comes first.
    if t.state ~= "failed" then
        self:ended(t)
    elseif self.failed and self.failed ~= t then
        table.insert(self.further, t)
    else
        self.failed = t
        self:cancel()
    end
    if self.waiting then task.wake(self.parent) end
    self.tasks[t] = nil
    self.running = self.running - 1
end

local function new(ended)
    return setmetatable({ parent = task.me(), tasks = {}, running = 0, further = {}, ended = ended }, Several)
end

function Several:start(place, f, ...)
    local parent = self.parent
    local t = make(parent, one_ended, f, ...)
    t.group, t.place = self, place
    self.tasks[t] = true
    self.running = self.running + 1
    task.begin(t)
end

function Several:cancel(why)
    self.over = true
    if self.iterator then self.iterator:cancel(why) end
    for t in pairs(self.tasks) do t:cancel(why) end
end

local function cancel_group(t, why)
    t.several:cancel(why)
end

-- Waits until no more than `n` run.
function Several:wait(n)
    local t = self.parent
    local outer = t.several
    t.several = self
    self.waiting = true
    while self.running > n do
        -- It may have been cancelled when one had ended, before it went on.
        if t.doomed then self:cancel(t.doomed.why) end
        task.park(t, cancel_group, "several")
    end
    self.waiting = false
    t.several = outer
end

-- Raises what went wrong.
function Several:check()
    local t = self.parent
    if self.failed then
        if #self.further == 0 then return task.results_of(self.failed, t) end
        local err = failure.together(self.failed, self.further)
        t.told = err
        error(err, 0)
    end
    if self.cancelled then task.check(t) end
end

local function all_ended(self, t)
    if t.state == "cancelled" then
        self.cancelled = self.cancelled or t
        return
    end
    local value, message, errno = t:outcome()
    self.list[t.place] = value
    if value == nil and message ~= nil and not self.refusal then
        self.refusal = { message, errno }
        self:cancel()
    end
end

-- The list, or the first refusal; a part that was cancelled, by itself, is no part.
function Several:outcome()
    if self.refusal then return nil, self.refusal[1], self.refusal[2] end
    if self.cancelled then
        task.check(self.parent)
        return task.results_of(self.cancelled, self.parent)
    end
    return self.list
end

-- Raises for what is no list of functions.
local function check_list(functions, name)
    if type(functions) ~= "table" then
        raise(("bad argument #1 to '%s' (a list of functions expected, got %s)"):format(name, type(functions)))
    end
    for _, f in ipairs(functions) do scope.check_function(f, name, 1) end
end

function group.public.all(functions)
    local t = task.me()
    task.about_to_park(t)
    check_list(functions, "all")
    local self = new(all_ended)
    self.list = {}
    for place, f in ipairs(functions) do self:start(place, f) end
    self:wait(0)
    self:check()
    return self:outcome()
end

local function any_ended(self, t)
    if t.state == "cancelled" then
        self.cancelled = true
        return
    end
    local n = t.results and t.results.n or 1
    local values = { n = n, t:outcome() }
    if values[1] ~= nil then
        if not self.winner then
            self.winner = values
            self:cancel()
        end
    elseif not self.over then
        self.loser = values
    end
end

function group.public.any(functions)
    local t = task.me()
    task.about_to_park(t)
    check_list(functions, "any")
    local self = new(any_ended)
    for place, f in ipairs(functions) do self:start(place, f) end
    self:wait(0)
    if self.failed then self:check() end
    local values = self.winner
    if not values then
        if self.cancelled then task.check(t) end
        values = self.loser or { n = 1 }
    end
    return unpack(values, 1, values.n)
end

-- What an iterator gives next. It may wait, or fail, as the group's tasks may meanwhile.
local function next_item(self, t, items)
    local child = make(t, wake_parent, items)
    self.iterator = child
    see_through(t, child, "map")
    self.iterator = nil
    if child.state == "done" then return (child:outcome()) end
    if child.state == "failed" then
        if self.failed then
            table.insert(self.further, child)
        else
            self.failed = child
            self:cancel()
        end
    elseif not self.over then
        self.cancelled = self.cancelled or child
        self:cancel()
    end
end

-- `f` of each item of a list, or of each that an iterator gives, at most `n` at once.
function group.public.map(n, items, f)
    if type(n) ~= "number" or n ~= n or n < 1 then
        raise("bad argument #1 to 'map' (a number from 1 on expected)")
    end
    if type(items) ~= "table" then scope.check_function(items, "map", 2) end
    scope.check_function(f, "map", 3)
    local t = task.me()
    task.about_to_park(t)
    local self = new(all_ended)
    self.list = {}
    local place = 0
    while not self.over do
        local item
        if type(items) == "table" then item = items[place + 1] else item = next_item(self, t, items) end
        if item == nil or self.over then break end
        place = place + 1
        self:start(place, f, item)
        self:wait(n - 1)
        if t.doomed then break end
    end
    if t.doomed then self:cancel(t.doomed.why) end
    self:wait(0)
    self:check()
    if t.doomed then task.check(t) end
    return self:outcome()
end

return group
