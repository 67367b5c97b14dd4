-- run.lua WORK INTERPRETER FIRST COUNT: generates a program a seed into the folder WORK, runs each in a process of
-- its own, and prints those that fail. FUZZ_RUN is what stands before the interpreter; FUZZ_LEAKS is set for every
-- second one: a leak is a failure then.

local generate = require "generate"

local work, interpreter, first, count = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local seconds = os.getenv("FUZZ_SECONDS") or "60"
local until_ = tonumber(os.getenv("FUZZ_UNTIL") or "") -- when to stop, in seconds since 1970

local function contents(path)
    local file = io.open(path, "rb")
    if not file then return "" end
    local all = file:read("*a")
    file:close()
    return all
end

local function execute(command)
    local ok, how, status = os.execute(command)
    if type(ok) == "number" then return ok >= 256 and math.floor(ok / 256) or ok end -- 5.1
    return ok and 0 or (how == "signal" and 128 or 0) + status
end

local failed, ran = 0, 0
for seed = first, first + count - 1 do
    if until_ and os.time() >= until_ then break end
    local program = work .. "/program.lua"
    local file = assert(io.open(program, "wb"))
    file:write(generate(seed))
    file:close()
    -- Not /dev/null, whose permissions a program of root's may change.
    assert(io.open(work .. "/input", "wb")):close()
    local status = execute(("rm -rf %s/folder && mkdir -p %s/folder/dir && cd %s/folder && trap '' XFSZ && ulimit -c 0 && ulimit -n 400 && ulimit -f 100000"
        .. " && export FUZZ_LEAKS=%d && exec timeout -k 2 -s ABRT %s %s %s %s >%s/output 2>&1 <%s/input"):format(work, work, work, seed % 2, seconds,
            os.getenv("FUZZ_RUN") or "", interpreter, program, work, work))
    ran = ran + 1
    local output = contents(work .. "/output")
    -- An error that nobody has caught ends the interpreter with 1.
    local is_fine = status == 0 or status == 1 and not output:find("ERROR: %a+Sanitizer") and not output:find("panicked", 1, true)
    if not is_fine then
        failed = failed + 1
        print(("seed %d: status %d\n%s\n%s"):format(seed, status, contents(program), output:sub(1, 8000)))
    end
end
print(("%s: %d programs, %d failed"):format(interpreter, ran, failed))
os.exit(failed == 0 and 0 or 1)
