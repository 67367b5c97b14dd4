-- Places in the program: where it calls the module, and what is wrong there.

local place = {}

-- Where a coroutine is in the program, or who calls the module: "chat.lua:41".
function place.where(thread)
    local level = 0
    while true do
        local info
        if thread then info = debug.getinfo(thread, level, "Sl") else info = debug.getinfo(level, "Sl") end
        if not info then return nil end
        if info.currentline > 0 and not info.source:find("^@luring/co/") then
            return info.short_src .. ":" .. info.currentline
        end
        level = level + 1
    end
end

-- A message with that before it.
function place.located(message, thread)
    local where = place.where(thread)
    return where and where .. ": " .. message or message
end

-- What is wrong with a call by a dot, whose first argument is no object.
function place.bad_self(name)
    return ("calling '%s' on bad self (a method is called with a colon)"):format(name or "?")
end

-- Whether the function that the program has called, and that has led here, is such a call. The others between
-- are not looked at: LuaJIT keeps no argument that compiled code has no more use for.
local function has_bad_self()
    local level, bad = 3, false
    while true do
        local info = debug.getinfo(level, "S")
        if not info or not info.source:find("^@luring/co/") then return bad end
        local name, value = debug.getlocal(level, 1)
        bad = name == "self" and type(value) ~= "table"
        level = level + 1
    end
end

-- Raises what is wrong with a call of the module, at the place where the program has made it: how many
-- of the module's own functions are between says nothing, and a call at the end of a function none.
function place.raise(message)
    if has_bad_self() then message = place.bad_self(message:match("to '([^']*)'")) end
    error(place.located(message), 0)
end

-- The error of a function of luring in the words of the module's function `name`: what it says of its argument
-- number `from` is said of that one's number `to`. Nil for one that says nothing of an argument.
function place.reworded(err, name, from, to)
    local number, what = tostring(err):match("bad argument #(%d+) to '[^']*' (.*)$")
    return number and ("bad argument #%d to '%s' %s"):format(number - from + to, name, what)
end

-- Raises it.
function place.reword(err, name, from, to)
    local message = place.reworded(err, name, from, to)
    if not message then error(err, 0) end
    place.raise(message)
end

return place
