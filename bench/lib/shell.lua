-- Running programs.

local shell = {}

-- What a command prints, or nil and what went wrong.
function shell.output(command)
    local pipe = assert(io.popen(command, "r"))
    local text = pipe:read("a")
    local ok, _, code = pipe:close()
    if not ok then
        return nil, ("%s: exit status %s"):format(command, code)
    end
    return text
end

-- The "name value" lines that a command prints, or nil and what went wrong.
function shell.values(command)
    local text, failed = shell.output(command)
    if not text then
        return nil, failed
    end
    local values = {}
    for name, value in text:gmatch("(%S+)%s+(%S+)") do
        values[name] = tonumber(value)
    end
    return values
end

-- A path or word as the shell reads it.
function shell.quoted(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

function shell.read(path)
    local file = io.open(path)
    local text = file and file:read("a")
    if file then
        file:close()
    end
    return text
end

function shell.write(path, text)
    local file = assert(io.open(path, "w"))
    assert(file:write(text))
    assert(file:close())
end

return shell
