-- Options and counts, as the functions take them that a program calls.

local part = ...
local raise = part "place".raise

local options = {}

-- Raises for what is no table, and for a name that is none of the known ones: what is misspelt would go
-- unnoticed. It is argument number `place` of the function `name`.
function options.check(given, known, place, name)
    if type(given) ~= "table" then
        raise(("bad argument #%d to '%s' (table expected, got %s)"):format(place, name, type(given)))
    end
    for key in pairs(given) do
        if not known[key] then raise("unknown option: " .. tostring(key)) end
    end
end

-- Raises for what is neither a number nor left out.
function options.check_number(value, name)
    if value ~= nil and (type(value) ~= "number" or value ~= value) then
        raise("bad option '" .. name .. "' (number expected)")
    end
end

-- Whether it is a whole number from `least` on, or math.huge.
function options.is_count(n, least)
    return type(n) == "number" and n >= least and (n == math.huge or n % 1 == 0)
end

return options
