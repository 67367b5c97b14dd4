-- Scopes: tasks that end together, and what they have made.

local luring = require "luring"
local part = ...
local failure = part "failure"
local task = part "task"
local place_of, raise = part "place".where, part "place".raise
local unpack = table.unpack or unpack -- luacheck: ignore 143

local scope = { public = {} }

local Scope = {}
Scope.__index = Scope

local function new(outer)
    -- `count` tasks are waited for, `background` ones are cancelled at the end.
    return setmetatable({ outer = outer, tasks = {}, count = 0, background = 0, owned = {}, places = {} }, Scope)
end
scope.new = new

-- ---- errors ----

-- The first error ends all the others; it leaves the scope, and the rest with it.
function Scope:fail(t)
    if self.failed and self.failed ~= t then
        self.further = self.further or {}
        table.insert(self.further, t)
        return
    end
    self.failed = t
    self:cancel_all()
end

-- The error that leaves a scope.
function Scope:error()
    return failure.together(self.failed, self.further or {})
end

-- ---- tasks ----

-- Counts a task that the scope waits for, or that it cancels when the others have ended.
function Scope:enter(t, background)
    t.home = self
    self.tasks[t] = background and "background" or "awaited"
    if background then
        self.background = self.background + 1
    else
        self.count = self.count + 1
    end
end

-- A task that has ended counts no more. What can fail comes first.
function Scope:leave(t)
    local background, count = self.background, self.count
    if self.tasks[t] == "background" then background = background - 1 else count = count - 1 end
    if self.waiter and (count == 0 or background == 0) then task.wake(self.waiter) end
    self.tasks[t] = nil
    self.background, self.count = background, count
end

local function ended(t)
    if t.state == "failed" then t.home:fail(t) end
    t.home:leave(t)
end

-- Whether a task, or the one that it is a part of, is cancelled when the others have ended.
function scope.is_background(t)
    while t and not t.home do t = t.parent end
    return t ~= nil and t.home.tasks[t] == "background"
end

local function start(self, parent, loop, background, f, ...)
    local t = task.make(loop, self, parent, ended, f, ...)
    self:enter(t, background)
    task.begin(t)
    -- A scope that is over takes nobody any more.
    if self.over then t:cancel(self.why) end
    return t
end

-- Raises for what is no function, and argument number `place` of the function `name`.
local function check_function(f, name, place)
    if type(f) ~= "function" then
        local meta = getmetatable(f)
        if not (type(meta) == "table" and meta.__call) then
            raise(("bad argument #%d to '%s' (function expected, got %s)"):format(place, name, type(f)))
        end
    end
end
scope.check_function = check_function

-- Raises where a scope takes nothing any more: a task would never run, and what it owned not be closed.
local function check_open(self)
    if self.ended then raise("the scope has ended") end
end

function Scope:spawn(f, ...)
    check_function(f, "spawn", 1)
    check_open(self)
    local parent = task.me()
    local t = start(self, parent, parent.loop, false, f, ...)
    t.spawned, t.since = place_of(), parent.loop:now()
    return t
end

function Scope:cancel_all(why)
    self.over, self.why = true, why
    for t in pairs(self.tasks) do t:cancel(why) end
    -- A connection's function, which is no child of its scope.
    if self.body and not self.body.state then self.body:cancel(why) end
end

-- Ends the scope: all of its tasks are cancelled.
function Scope:cancel(why)
    self.cancelled = true
    self:cancel_all(why)
end

-- ---- what is owned ----

-- Whose each object is, until it is closed.
local homes = setmetatable({}, { __mode = "kv" })

-- The loop's scopes that own something.
local function owners_of(self)
    while self.outer do self = self.outer end
    return self.loop.owners
end

-- Takes an object out of the scope.
local function forget(self, x)
    local place = self.places[x]
    self.places[x] = nil
    if not place or self.owned[place] ~= x then return end
    local last = #self.owned
    if place == last then
        self.owned[place] = nil
        while self.owned[#self.owned] == false do self.owned[#self.owned] = nil end
        if #self.owned == 0 then owners_of(self)[self] = nil end
    else
        self.owned[place] = false
    end
    -- What is open for long keeps no place for all that came and went.
    self.gaps = (self.gaps or 0) + 1
    if self.gaps > 64 and self.gaps > #self.owned / 2 then
        local kept = {}
        for _, y in ipairs(self.owned) do
            if y then
                kept[#kept + 1] = y
                self.places[y] = #kept
            end
        end
        self.owned, self.gaps = kept, 0
    end
end

-- Moves an object into the scope: it is closed at the end.
local function own(self, x)
    local home = homes[x]
    if home == self and self.places[x] then return x end
    -- What takes memory comes first: without it the object is still the other's.
    local place = #self.owned + 1
    if place == 1 then owners_of(self)[self] = true end
    homes[x] = self
    self.places[x] = place
    self.owned[place] = x
    if home then forget(home, x) end
    return x
end

-- A method that only the module's own classes have, of any object.
local function method_of(x, name)
    local class = debug.getmetatable(x)
    return type(class) == "table" and rawget(class, name)
end

-- The same for one of the program's, which has a method `close`.
function Scope:own(x)
    local kind = type(x)
    if kind ~= "table" and kind ~= "userdata" or not x.close then
        raise("bad argument #1 to 'own' (an object with a method 'close' expected, got " .. kind .. ")")
    end
    check_open(self)
    local owned_with = method_of(x, "owned_with")
    for _, y in ipairs(owned_with and owned_with(x) or {}) do
        if homes[y] then own(self, y) end
    end
    return own(self, x)
end

-- Takes an object from its owner: it is the program's own to close.
function scope.disown(x)
    local home = homes[x]
    homes[x] = nil
    if home then forget(home, x) end
end

-- The scope that owns what the running task makes. What is to have a descriptor is owned before that is opened:
-- nothing that fails meanwhile loses it.
function scope.own(x)
    local t = task.current()
    if t and t.scope then own(t.scope, x) end
    return x
end

-- Closes a <close> variable. Where that would have to wait and can't, as when its task ends by an error, its owner
-- does it.
function scope.close_variable(x)
    pcall(x.close, x)
end

-- Closes an object's descriptor, and does nothing else. What has a descriptor has this as a method, or one of
-- its own.
function scope.drop_descriptor(x)
    local fd = x.fd
    if not fd then return end
    luring.close_fd(fd) -- or there is no memory to call it
    x.fd = nil
end

-- The same for any object, of which those that are the program's own are left as they are.
local function drop(x)
    local drop_descriptor = method_of(x, "drop_descriptor")
    if drop_descriptor then drop_descriptor(x) end
end

-- Closes the descriptors of scopes that there was no memory to end.
function scope.drop_all(loop)
    for self in next, loop.owners do
        for place = #self.owned, 1, -1 do
            local x = self.owned[place]
            if x then drop(x) end
            self.owned[place] = nil
        end
        loop.owners[self] = nil
    end
end

local Deferred = {}
Deferred.__index = Deferred
function Deferred:close_owned()
    local f = self.f
    self.f = nil -- it is called once, whatever comes
    if f then f() end
end

-- Calls `f` at the scope's end.
function Scope:defer(f)
    check_function(f, "defer", 1)
    check_open(self)
    own(self, setmetatable({ f = f }, Deferred))
end

-- Lets go of what has been closed, or could not be: another task is at that, or has failed.
local function let_go(self, x)
    drop(x)
    homes[x] = nil
    forget(self, x)
end

local function close_all(self)
    while #self.owned > 0 do
        local x = self.owned[#self.owned]
        self.closes = x
        if x.close_owned then x:close_owned() else x:close() end
        let_go(self, x)
    end
end

-- What could not be closed is not tried again.
local function not_closed(self)
    local x = self.closes
    if x and self.places[x] then let_go(self, x) end
end

-- ---- the end ----

local function cancel_scope(t, why)
    t.waits_for.cut = true
    t.waits_for:cancel_all(why)
end

-- Waits until all tasks have ended, and closes what is owned. Runs in a task `t`.
function Scope:settle(t)
    self.waiter = t
    t.waits_for = self
    while self.count > 0 do
        if t.doomed then
            self:cancel_all(t.doomed.why)
            task.park_shielded(t, "scope")
        else
            task.park(t, cancel_scope, "scope")
        end
    end
    self.over = true
    for other in pairs(self.tasks) do other:cancel() end
    while self.background > 0 do task.park_shielded(t, "scope") end
    self.waiter, t.waits_for = nil, nil
    local group = part "group"
    while #self.owned > 0 do
        local closer = group.call_shielded(close_all, self)
        if closer.state == "failed" then
            not_closed(self)
            if self.failed then
                self.further = self.further or {}
                table.insert(self.further, closer)
            else
                self.failed = closer
            end
        end
    end
end

-- Runs `f` in a scope of its own, of the running task.
local function run(with_scope, f, ...)
    local t = task.me()
    task.about_to_park(t)
    local self = new(t.scope)
    if not t.scope then self.loop = t.loop end
    t.waits_for = self -- before anything begins that would be left without it
    local body
    if with_scope then
        body = start(self, t, t.loop, false, f, self, ...)
    else
        body = start(self, t, t.loop, false, f, ...)
    end
    self:settle(t)
    self.ended = true
    if self.failed then
        local err = self:error()
        t.told = err
        error(err, 0)
    end
    -- Its own task was cancelled, and so all within.
    if self.cut then task.check(t) end
    if body.state == "cancelled" then
        return nil, self.why and tostring(self.why) or "cancelled", luring.ECANCELED
    end
    return body:outcome()
end

function scope.run(f, ...)
    return run(false, f, ...)
end

function scope.public.scope(f)
    check_function(f, "scope", 1)
    return run(true, f)
end

local function spawn(background, name, f, ...)
    check_function(f, name, 1)
    local parent = task.me()
    local t = start(parent.scope, parent, parent.loop, background, f, ...)
    t.spawned, t.since = place_of(), parent.loop:now()
    return t
end

function scope.public.spawn(f, ...)
    return spawn(false, "spawn", f, ...)
end

function scope.public.background(f, ...)
    return spawn(true, "background", f, ...)
end

scope.unpack = unpack
return scope
