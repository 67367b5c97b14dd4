-- The resident memory of this process in bytes, after all garbage is collected.
return function()
    collectgarbage()
    collectgarbage()
    local file = assert(io.open("/proc/self/statm"))
    local pages = tonumber(file:read("a"):match("^%d+ (%d+)"))
    file:close()
    return pages * 4096
end
