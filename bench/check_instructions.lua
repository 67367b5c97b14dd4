-- Fails when an action takes more instructions above the floor than bench/instructions.limits
-- allows, and 3% more. The floor is the same Lua code over bench/c/floor.c.
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
print("instructions above the floor, 64 B, 32 in flight, Lua 5.4:")
for _, action in ipairs(instructions.ACTIONS) do
    local floor = instructions.module(work, action, work .. "/floor")
    local total = instructions.module(work, action, module)
    local above = total - floor
    local limit = limits[action]
    local verdict = "ok"
    if not update and not limit then
        verdict = "NO LIMIT in " .. LIMITS
    elseif not update and above > limit * TOLERANCE then
        verdict = ("TOO MANY: %.1f%% more than the limit"):format((above / limit - 1) * 100)
    end
    failed = failed or verdict ~= "ok"
    table.insert(found, ("%s %d\n"):format(action, math.ceil(above)))
    print(("  %-6s %7.1f  limit %-5s (in all %.1f, the floor %.1f)  %s")
        :format(action, above, limit or "-", total, floor, verdict))
end

if update then
    shell.write(LIMITS, "# Instructions per action above the floor: see scripts/check-instructions.\n" .. table.concat(found))
    print("written to " .. LIMITS)
elseif failed then
    print("If that is meant: scripts/check-instructions --update, and say why.")
    os.exit(1)
end
