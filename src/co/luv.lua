-- Loops that step within luv's: what `require "luring.luv"` gives.
--
-- luv calls a prepare handle each time before it waits, so that what its callbacks have done to tasks
-- counts at once. What it may wait for are the ring's descriptor, and a timer for the next deadline.

local luring = require "luring"

local luv = {}

local Attachment = {}
Attachment.__index = Attachment

local LONGEST = 2 ^ 31 -- of a wait, in milliseconds

-- That luv has returned from its wait is enough.
local function returned() end

local function library()
    local found, uv = pcall(require, "luv")
    if not found then error("luring.luv needs luv, which can't be loaded: " .. tostring(uv), 3) end
    return uv
end

local function close(self)
    for _, handle in ipairs(self.handles) do
        if not handle:is_closing() then handle:close() end -- uv.walk may have closed it
    end
    self.handles, self.timer = {}, nil
end

local function report(self, err)
    if self.on_error then return self.on_error(err) end
    -- luv shows strings alone.
    error(tostring(err), 0)
end

-- One step, and what luv is to wait for then.
local function step(self)
    local loop, timer = self.loop, self.timer
    local ok, seconds = pcall(loop.step, loop)
    if not ok then
        timer:start(0, 0, returned) -- an error says nothing of the other tasks
        return report(self, seconds)
    end
    if not seconds then return close(self) end
    if seconds == math.huge then return timer:stop() end
    timer:start(math.min(math.ceil(seconds * 1000), LONGEST), 0, returned)
end

-- Makes the handles, which are there while there are tasks: they keep uv.run from ending.
local function open(self)
    if self.timer then return end
    local uv = self.uv
    local poll, why = uv.new_poll(self.loop:pollfd())
    if not poll then error("luv can't poll the ring: " .. tostring(why), 3) end
    local prepare = uv.new_prepare()
    self.timer = uv.new_timer()
    self.handles = { poll, prepare, self.timer }
    poll:start("r", returned)
    prepare:start(function() step(self) end)
end

-- Makes a loop of luring.co step within luv's.
function luv.attach(loop, options)
    if type(loop) ~= "table" or type(loop.step) ~= "function" or not loop.ring then
        error("bad argument #1 to 'attach' (a loop of co.loop expected)", 2)
    end
    options = options or {}
    for key in pairs(options) do
        if key ~= "on_error" then error("unknown option: " .. tostring(key), 2) end
    end
    if loop.on_spawn then error("the loop is attached already", 2) end
    local uv = library()
    local wakes, why = pcall(luring.pollable, loop.ring)
    if not wakes then error(why, 2) end
    local self = setmetatable({ uv = uv, loop = loop, on_error = options.on_error, handles = {} }, Attachment)
    if loop.count > 0 then open(self) end
    loop.on_spawn = function() open(self) end
    return self
end

-- Leaves luv's loop; the tasks stay as they are.
function Attachment:detach()
    if self.detached then return end
    self.detached = true
    close(self)
    self.loop.on_spawn = nil
end

return luv
