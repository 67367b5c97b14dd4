-- Runs one of the programs, in a process and a folder of its own, and says how that went.

local child = require "child"
local programs = require "programs"

local judge = {}

local SECONDS = 20

-- What a program's end means: "ok", "crash", "hang", "leak" or "wrong", and what it said.
function judge.verdict(result)
    if result.status == 124 or result.status == 137 then return "hang", "no end" end
    if result.status >= 128 then return "crash", "signal " .. result.status - 128 end
    local word, text = result.output:match("^(%l+): ([^\n]*)")
    if result.status == 3 and (word == "wrong" or word == "leak") then return word, text end
    if result.status == 0 and result.output == "" then return "ok", "" end
    return "wrong", result.output:match("^[^\n]*")
end

-- Runs one; `module` is the folder of another luring.so than LUA_CPATH has.
function judge.run(name, module)
    local folder = os.tmpname()
    os.remove(folder)
    assert(child.shell(("mkdir %s && mkfifo %s/fifo"):format(folder, folder)).status == 0)
    local path = module and "env LUA_CPATH=" .. child.quote(module .. "/?.so") or ""
    local input = programs.without_input[name] and "<&-" or ""
    local result = child.run(programs.text(name, folder), ("%s timeout -k 5 %d %s"):format(input, SECONDS, path))
    child.shell("rm -r " .. folder)
    return judge.verdict(result)
end

return judge
