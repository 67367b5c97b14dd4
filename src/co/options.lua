-- Tables of options, as the functions take them that a program calls.

local part = ...
local raise = part "place".raise

local options = {}

-- Raises for a name that is none of the known ones: what is misspelt would go unnoticed.
function options.check(given, known)
    for key in pairs(given) do
        if not known[key] then raise("unknown option: " .. tostring(key)) end
    end
end

return options
