-- Tables of options, as the functions take them that a program calls.

local options = {}

-- Raises for a name that is none of the known ones, so many levels up: what is misspelt would go unnoticed.
function options.check(given, known, level)
    for key in pairs(given) do
        if not known[key] then error("unknown option: " .. tostring(key), level + 1) end
    end
end

return options
