-- Fails when an action takes more instructions above the floor than bench/instructions.limits
-- allows, and 3% more. The floor is the same Lua code over bench/c/floor.c. A wait of luring.co is
-- counted as a whole.
-- Usage: lua5.4 bench/check_instructions.lua WORK MODULE [--update]
-- --update writes what it finds as the new limits.

local instructions = require "bench.lib.instructions"
local shell = require "bench.lib.shell"

local LIMITS = "bench/instructions.limits"
local TOLERANCE = 1.03

local work, module, update = arg[1], arg[2], arg[3] == "--update"

local limits = {}
for name, limit in (shell.read(LIMITS) or ""):gmatch("\n(%l+)%s+(%d+)") do
    limits[name] = tonumber(limit)
end

local failed = false
local found = {}

-- Holds a count against its limit, and notes it. `more` says what it is made of.
local function judge(name, count, more)
    local limit = limits[name]
    local verdict = "ok"
    if not update and not limit then
        verdict = "NO LIMIT in " .. LIMITS
    elseif not update and count > limit * TOLERANCE then
        verdict = ("TOO MANY: %.1f%% more than the limit"):format((count / limit - 1) * 100)
    end
    failed = failed or verdict ~= "ok"
    table.insert(found, ("%s %d\n"):format(name, math.ceil(count)))
    print(("  %-6s %7.1f  limit %-5s %s %s"):format(name, count, limit or "-", more, verdict))
end

print("instructions above the floor, 64 B, 32 in flight, Lua 5.4:")
for _, action in ipairs(instructions.ACTIONS) do
    local floor = instructions.module(work, action, work .. "/floor")
    local total = instructions.module(work, action, module)
    judge(action, total - floor, ("(in all %.1f, the floor %.1f) "):format(total, floor))
end
print("instructions of a read or a write of luring.co, 32 tasks, with all of Lua's:")
judge("wait", instructions.wait(work, module), "")

if update then
    local head = "# Instructions per action above the floor, and per wait of luring.co: see scripts/check-instructions.\n"
    shell.write(LIMITS, head .. table.concat(found))
    print("written to " .. LIMITS)
elseif failed then
    print("If that is meant: scripts/check-instructions --update, and say why.")
    os.exit(1)
end
