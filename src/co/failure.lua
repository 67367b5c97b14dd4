-- What can go wrong, as values: cancellations, and errors that leave their task.

local luring = require "luring"

local failure = { public = {} }

local Cancellation = {}
Cancellation.__index = Cancellation
Cancellation.__tostring = function(self)
    return "task " .. self.name .. " was cancelled" .. (self.why and ": " .. tostring(self.why) or "")
end

-- The error that ends a cancelled task.
function failure.cancellation(name, why)
    return setmetatable({ name = name, why = why }, Cancellation)
end

-- Whether an error is a cancellation, and why.
function failure.public.cancelled(err)
    if getmetatable(err) == Cancellation then return true, err.why end
    return false
end

-- What a call gives that the kernel refused: as `io` has it.
function failure.refused(res, before)
    local message = luring.strerror(-res)
    return nil, before and before .. ": " .. message or message, -res
end

-- The further errors that came with one that is no string, by that one.
local others = setmetatable({}, { __mode = "k" })

function failure.public.others(err)
    return others[err] or {}
end

local function with_trace(t)
    local err = t.err
    if type(err) ~= "string" or not t.trace or #t.trace == 0 then return err end
    return err .. "\nstack traceback of task " .. t:get_name() .. ":\n" .. table.concat(t.trace, "\n")
end

-- A text with further errors, and what came with these.
local function text_with(text, list)
    for _, other in ipairs(list) do
        text = text_with(text .. "\nand: " .. tostring(other), others[other] or {})
    end
    return text
end

-- The error of a task that has failed, with those of others that failed because of it, or at once. Who has
-- joined it, and so failed with the same, adds nothing.
function failure.together(first, further)
    local err, list = with_trace(first), {}
    local told = { [first.trace or first] = true }
    for _, t in ipairs(further) do
        if t.err == first.err and told[t.inner_trace or false] then
            told[t.trace or t] = true
        else
            local other = with_trace(t)
            list[#list + 1] = other == nil and "nil" or other
        end
    end
    if type(err) == "string" then
        err = text_with(err, list)
    elseif #list > 0 and (type(err) == "table" or type(err) == "userdata") then
        others[err] = list
    elseif #list > 0 then
        -- A number, say, can't be told from another of its kind.
        io.stderr:write(text_with("luring.co: an error: " .. tostring(err), list), "\n")
    end
    return err
end

-- The lines of a coroutine's traceback that are the program's own.
function failure.traceback(thread)
    local lines = {}
    for line in (debug.traceback(thread) .. "\n"):gmatch("(.-)\n") do
        if not line:find("^%s*luring/co/") and not line:find("^%s*%[C%]: in function 'error'")
            and not line:find("^%s*%[C%]: in %?") and not line:find("^%s*%[C%]: in function 'coroutine.yield'")
            and not line:find("^%s*%[C%]: in function 'yield'") and line ~= "stack traceback:" then
            lines[#lines + 1] = line
        end
    end
    return lines
end

return failure
