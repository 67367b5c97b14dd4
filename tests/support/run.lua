-- Runs busted with the Lua that runs this file. Busted needs three C modules; for a Lua
-- that has none of them, the few of their functions that busted calls stand in here.

local function shell(command)
    local pipe = assert(io.popen(command))
    local output = pipe:read("*a")
    pipe:close()
    return output
end

local function quote(word)
    return "'" .. word:gsub("'", "'\\''") .. "'"
end

local stand_ins = {}

function stand_ins.lfs()
    local kinds = { d = "directory", f = "file" }
    local function attributes(path, name)
        local kind = shell(("test -d %s && echo d || { test -e %s && echo f; }"):format(quote(path), quote(path)))
        local mode = kinds[kind:sub(1, 1)]
        if not mode then return nil, path .. ": no such file" end
        if name then return name == "mode" and mode or nil end
        return { mode = mode }
    end
    return {
        attributes = attributes,
        symlinkattributes = attributes,
        currentdir = function() return (shell("pwd"):gsub("\n$", "")) end,
        chdir = function() return true end, -- to where it is already
        mkdir = function(path) return os.execute("mkdir " .. quote(path)) end,
        rmdir = function(path) return os.execute("rmdir " .. quote(path)) end,
        dir = function(path) return shell("ls -a " .. quote(path)):gmatch("[^\n]+") end,
    }
end

function stand_ins.system()
    return { gettime = os.time, monotime = os.clock, sleep = function() end }
end

function stand_ins.term()
    return { isatty = function() return false end }
end

for name, make in pairs(stand_ins) do
    if not pcall(require, name) then package.loaded[name] = make() end
end

-- Since Lua 5.5 a loop's variables are constants, and busted and what it uses assign to
-- some: those loops get a variable of their own.
local function load_file(path)
    local file = assert(io.open(path, "rb"))
    local lines = {}
    for line in file:lines() do lines[#lines + 1] = line end
    file:close()
    while true do
        local chunk, message = load(table.concat(lines, "\n"), "@" .. path)
        local at, name = (message or ""):match(":(%d+): attempt to assign to const variable '(.-)'")
        if chunk or not at then return chunk, message end
        local pattern = "^(%s*for%s[^=]-%f[%w_]" .. name .. "%f[^%w_].-%sdo)%f[%s\0](.*)$"
        at = tonumber(at)
        repeat
            local loop, rest = lines[at]:match(pattern)
            if loop then lines[at] = ("%s local %s = %s; %s"):format(loop, name, name, rest) end
            at = at - 1
        until loop or at == 0
        if at == 0 then return chunk, message end
    end
end

if _VERSION == "Lua 5.5" then
    table.insert(package.searchers, 2, function(name)
        local path, message = package.searchpath(name, package.path)
        if not path then return message end
        return assert(load_file(path)), path
    end)
end

-- What is loaded before this interpreter is not for the programs that specs start.
if os.getenv "LD_PRELOAD" then require("host").unset "LD_PRELOAD" end

io.stdout:setvbuf("line")
require "busted.runner" { standalone = false }
