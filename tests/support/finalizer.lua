-- Something that runs `f` when it is collected, on any Lua.
return function(f)
    local newproxy = rawget(_G, "newproxy")
    if newproxy then
        local proxy = newproxy(true)
        getmetatable(proxy).__gc = f
        return proxy
    end
    return setmetatable({}, { __gc = f })
end
