-- Runs the commands of a file, several at once, and keeps their outputs apart.

local USAGE = [=[
Usage: lua jobs.lua [-n JOBS] [-t SECONDS] [FILE]
Runs each line of FILE, or of the standard input, as a command of the shell, and JOBS of them at
once: without -n as many as there are processors. When one has ended, it shows how, and what it
has written. One that takes longer than SECONDS is ended. Empty lines, and those that begin with
#, are no commands. Its own status is 0 if that of all commands was.]=]

local co = require "luring.co"
local luring = require "luring"

---@return never
local function fail(...)
    io.stderr:write("jobs.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end
local options = { ["-n"] = luring.cpus(), ["-t"] = math.huge }
local place = 1
while options[arg[place]] do
    local word = arg[place + 1] or ""
    local number = word:match("^%d*%.?%d+$") and tonumber(word)
    if not number or number <= 0 or arg[place] == "-n" and number % 1 ~= 0 then
        fail(("%s takes a number, not %s (see --help)"):format(arg[place], word))
    end
    options[arg[place]] = number
    place = place + 2
end
local path = arg[place] or "-"
if path:find("^%-.") then fail(("%s is no option (see --help)"):format(path)) end
if arg[place + 1] then fail("only one FILE is taken (see --help)") end

-- What has gone well. An error that is a table ends the program when all jobs have been ended.
local function must(value, message)
    if not value then error({ message }) end
    return value
end

-- A file without a name, for what a job writes.
local function scratch()
    local name = os.tmpname()
    local file = must(co.open(name, "w+"))
    os.remove(name)
    return file
end

local failed = false
local showing = co.semaphore(1)

local function put(where, done, message)
    must(done, message and "standard " .. where .. ": " .. message)
end

local function show(job, how, output, errors)
    failed = failed or how ~= "exit 0"
    put("output", co.stdout:write(("== %d: %s: %s\n"):format(job.number, how, job.command)))
    put("output", co.stdout:sendfile(output))
    put("error", co.stderr:sendfile(errors))
end

-- Runs a job. Its process and its files belong to the scope: what has not ended then is ended.
local function run(job)
    return co.scope(function()
        local output, errors = scratch(), scratch()
        local nothing = must(co.open("/dev/null"))
        local process = must(co.process {
            "sh", "-c", job.command, group = true,
            stdin = nothing:getfd(), stdout = output:getfd(), stderr = errors:getfd(),
        })
        local ok, kind, status = co.timeout(options["-t"], process.wait, process)
        if kind == "timed out" then process:close() end
        local how = ok and "exit 0" or kind == "timed out" and kind or kind .. " " .. status
        showing:with(show, job, how, output, errors)
        return true
    end)
end

-- The next command of the file, or nil.
local function reader(file)
    local number = 0
    return function()
        while true do
            local line, why = file:line()
            if why then must(nil, file == co.stdin and "standard input: " .. why or why) end
            if not line then return nil end
            number = number + 1
            if line:find("\0", 1, true) then must(nil, ("line %d has a zero byte"):format(number)) end
            if line:find("^%s*[^%s#]") then return { number = number, command = line } end
        end
    end
end

local function main()
    return co.scope(function(s)
        co.background(function() s:cancel(co.signal("INT", "TERM", "HUP")) end)
        local file = path == "-" and co.stdin or must(co.open(path))
        must(co.map(options["-n"], reader(file), run))
        return true
    end)
end

-- Raises an error where io_uring is refused, as in many containers.
local ok, done, signal = pcall(co.run, main)
if not ok then fail(type(done) == "table" and done[1] or tostring(done)) end
os.exit(not done and 128 + luring["SIG" .. signal] or failed and 1 or 0)
