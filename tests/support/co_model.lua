-- Random trees of tasks that wait, raise, and are cancelled at any moment, beside a small model of what
-- must hold: each task ends once and before its scope, what is deferred runs, no error is lost, and no
-- value, byte or descriptor.

local co = require "luring.co"
local luring = require "luring"
local drive = require "drive"
local Dice = require "dice"
local bytes = require "model.bytes"

local Model = {}
Model.__index = Model

-- An error that is no string.
local Fault = {}
function Fault:__tostring() return ("error %d of the model"):format(self.number) end

local AT_ONCE = 2 -- tasks that the semaphore lets in

local function new(seed)
    return setmetatable({
        seed = seed, trace = {}, faults = {},
        tasks = {}, left = 60, -- how many may still be started
        raised = {}, heard = {}, -- errors, by their numbers
        sent = {}, given = 0, inside = 0,
    }, Model)
end

function Model:note(...) self.trace[#self.trace + 1] = table.concat({ ... }, " ") end

-- It can't raise: an error would be one of the program's.
function Model:check(holds, ...)
    if not holds then self.faults[#self.faults + 1] = table.concat({ ... }, " ") end
end

-- Errors that arrive somewhere, with those that came with them.
function Model:hear(err)
    if type(err) == "table" then
        self.heard[err.number or 0] = true
        for _, other in ipairs(co.others(err)) do self:hear(other) end
    else
        for number in tostring(err):gmatch "error (%d+) of the model" do self.heard[tonumber(number)] = true end
    end
end

---------------------------------------------------------------------------- what a task does

local ENDED = { done = true, failed = true, cancelled = true }

-- Calls `f(s, scope)` in a scope: at its end all of its tasks have ended, and what is deferred runs, the last first.
function Model:scope(f)
    local scope = { over = false, tasks = {} }
    return co.scope(function(s)
        local order = {}
        s:defer(function()
            scope.over = true
            for _, record in ipairs(scope.tasks) do
                self:check(ENDED[record.task:status()], "task", record.number, "is left in a scope that has ended")
            end
            self:note("scope ends")
            self:check(table.concat(order) == "21", "deferred in the order", table.concat(order))
        end)
        s:defer(function() order[#order + 1] = "1" end)
        s:defer(function() order[#order + 1] = "2" end)
        return f(s, scope)
    end)
end

-- Starts a task by `spawn`, with dice of its own: its program is the same whenever it runs.
function Model:start(dice, depth, spawn, scope)
    if self.left == 0 then return nil end
    self.left = self.left - 1
    local own = Dice.new(dice:roll(2 ^ 30))
    local record = { number = #self.tasks + 1, starts = 0 }
    self.tasks[record.number] = record
    scope.tasks[#scope.tasks + 1] = record
    record.task = spawn(function()
        record.starts = record.starts + 1
        self:note(record.number, "begins")
        self:scope(function(s, inner) self:body(own, depth + 1, s, inner) end)
        self:note(record.number, "ends")
        return record.number
    end)
    return record
end

local function wait(dice) co.sleep(dice:weigh { { 3, 0 }, { 2, 0.001 * dice:roll(3) } }) end

local statements = {
    { 20, function(_, dice) wait(dice) end },
    { 12, function(model, dice, depth, s, scope)
        local record = model:start(dice, depth, function(f) return s:spawn(f) end, scope)
        if record and dice:once(3) then
            local ok, value = co.pcall(record.task.join, record.task)
            if ok then model:check(value == record.number, "a join gave another's result") else model:hear(value) end
        end
    end },
    { 3, function(model, dice, depth, _, scope)
        model:start(dice, depth, co.background, scope)
    end },
    { 8, function(model, dice)
        local record = #model.tasks > 0 and dice:pick(model.tasks)
        if not record or not record.task then return end
        model:note("cancels", record.number)
        record.task:cancel("on purpose")
    end },
    { 5, function(model, dice, depth)
        local ok, err = co.pcall(model.scope, model, function(s, scope) model:body(dice, depth + 1, s, scope) end)
        if not ok then model:hear(err) end
    end },
    { 5, function(model, dice, depth)
        local ok, err = co.pcall(co.timeout, 0.001 * (dice:roll(4) - 1), function()
            model:scope(function(s, scope) model:body(dice, depth + 1, s, scope) end)
        end)
        if not ok then model:hear(err) end
    end },
    { 2, function(_, dice) co.shield(wait, dice) end },
    { 6, function(model, dice)
        local value = #model.sent + 1
        model.sent[value] = "begun"
        local sent = co.timeout(0.001 * dice:roll(3), function()
            if model.channel:send(value) then model.sent[value] = "sent" end
        end)
        if not sent and model.sent[value] == "begun" then model.sent[value] = "not sent" end
    end },
    { 6, function(model, dice)
        co.timeout(0.001 * dice:roll(3), function()
            local value = model.channel:recv()
            if value then model:receive(value) end
        end)
    end },
    { 4, function(model, dice)
        co.timeout(0.001 * dice:roll(4), function()
            model.semaphore:with(function()
                co.scope(function(s)
                    model.inside = model.inside + 1
                    model:check(model.inside <= AT_ONCE, model.inside, "tasks are in a semaphore for", AT_ONCE)
                    s:defer(function() model.inside = model.inside - 1 end)
                    wait(dice)
                end)
            end)
        end)
    end },
    { 3, function(model, dice, depth)
        local function part()
            return model:scope(function(s, scope)
                model:body(dice, depth + 1, s, scope)
                return 1
            end)
        end
        local ok, err = co.pcall(dice:once(2) and co.all or co.any, { part, part })
        if not ok then model:hear(err) end
    end },
    { 2, function(model)
        local number = #model.raised + 1
        model.raised[number] = true
        model:note("error", number)
        if number % 2 == 0 then error(setmetatable({ number = number }, Fault)) end
        error(("error %d of the model"):format(number))
    end },
    { 8, function(model, dice) model:write(dice) end },
    { 8, function(model, dice) model:read(dice) end },
}

function Model:body(dice, depth, s, scope)
    for _ = 1, dice:roll(depth > 3 and 3 or 8) do
        dice:weigh(statements)(self, dice, depth, s, scope)
        self:check(not scope.over, "a task runs though its scope has ended")
    end
end

function Model:receive(value)
    self:check(self.sent[value] == "begun" or self.sent[value] == "sent", "what was not sent came:", value)
    self:check(not self.received[value], "a value came twice:", value)
    self.received[value] = true
end

---------------------------------------------------------------------------- bytes between tasks

function Model:write(dice)
    if not self.output then return end
    local n = dice:roll(dice:weigh { { 3, 300 }, { 1, 40000 } })
    co.timeout(0.001 * dice:roll(3), function()
        self.writer:with(function()
            local data = bytes.of(1, self.written, n)
            self.unsure = n
            local done, _, _, partial = self.output:write(data)
            if done then
                self.written, self.unsure = self.written + n, 0
            elseif partial then
                self.written, self.unsure = self.written + partial, 0
                self:check(partial < n, "a write that failed has written all")
            end
        end)
    end)
end

function Model:arrive(data)
    self:check(data == bytes.of(1, self.read_so_far, #data), "other bytes came")
    self.read_so_far = self.read_so_far + #data
end

function Model:read(dice)
    if not self.input then return end
    co.timeout(0.001 * dice:roll(3), function()
        self.reader:with(function()
            local data
            if dice:once(2) then
                data = self.input:read(dice:roll(5000))
            else
                data = self.input:read_exactly(dice:roll(500))
            end
            if data then self:arrive(data) end
        end)
    end)
end

---------------------------------------------------------------------------- a whole program

function Model:main(with_streams)
    self.received = {}
    self.channel, self.semaphore = co.channel(self.seed % 3), co.semaphore(AT_ONCE)
    if with_streams then
        local from, to = luring.socketpair()
        self.input, self.output = co.stream(from), co.stream(to)
        self.written, self.read_so_far, self.unsure = 0, 0, 0
        self.reader, self.writer = co.semaphore(1), co.semaphore(1)
    end
    local ok, err = co.pcall(self.scope, self, function(s, scope)
        local dice = Dice.new(self.seed)
        self:body(dice, 1, s, scope)
        for _ = 1, 4 do self:start(dice, 1, function(f) return s:spawn(f) end, scope) end
    end)
    if not ok then self:hear(err) end
    if with_streams then
        self.output:close()
        local rest = self.input:read_all(1000000)
        if rest then self:arrive(rest) end
        self:check(self.read_so_far >= self.written and self.read_so_far <= self.written + self.unsure,
            self.read_so_far, "bytes came,", self.written, "were written, and", self.unsure, "may have been")
    end
    repeat
        local value = self.channel:try_recv()
        if value then self:receive(value) end
    until not value
end

function Model:look_back()
    for _, record in ipairs(self.tasks) do
        local status = record.task:status()
        self:check(record.starts <= 1, "task", record.number, "began", record.starts, "times")
        self:check(ENDED[status], "task", record.number, "is", status)
    end
    for number in ipairs(self.raised) do self:check(self.heard[number], "nobody heard of error", number) end
    for value, how in ipairs(self.sent) do
        self:check(how ~= "sent" or self.received[value], "what was sent did not come:", value)
    end
    self:check(self.inside == 0, self.inside, "are still in the semaphore")
end

local function run(seed, with_streams)
    local model = new(seed)
    local loop = co.loop { clock = not with_streams and "virtual" or nil }
    local ok, err = pcall(loop.run, loop, model.main, model, with_streams)
    if not ok then model:hear(err) end
    model:look_back()
    if #model.faults > 0 then
        error(("seed %d: %s\n%s"):format(seed, table.concat(model.faults, "\n"), table.concat(model.trace, "\n")), 0)
    end
end

-- Runs the program of this seed, and raises what does not hold. Every second one has no streams, and the
-- virtual clock.
return function(seed)
    if seed % 2 == 0 then return run(seed, false) end
    local before = drive.descriptors()
    run(seed, true)
    local after = drive.open_descriptors(before)
    if after > before then error(("seed %d: %d descriptors before, %d after"):format(seed, before, after), 0) end
end
