-- run.lua FOLDER...: puts each luring.so of these folders through the misuses, five times, and prints
-- what became of each program, and how many of them became what. Called by `make check-misuse`.

local here = arg[0]:match("^(.*/)") or "./"
package.path = here .. "?.lua;" .. here .. "../support/?.lua;" .. package.path

local judge = require "judge"
local programs = require "programs"

local RUNS = 5
local VERDICTS = { "crash", "wrong", "hang", "leak", "ok" } -- the worst first

local counts = {}
for _, module in ipairs(arg) do counts[module] = { crash = 0, wrong = 0, hang = 0, leak = 0, ok = 0 } end

for _, name in ipairs(programs) do
    for _, module in ipairs(arg) do
        local seen, said = {}, {}
        for _ = 1, RUNS do
            local verdict, text = judge.run(name, module)
            seen[verdict] = (seen[verdict] or 0) + 1
            said[verdict] = text
        end
        local worst
        local line = {}
        for _, verdict in ipairs(VERDICTS) do
            if seen[verdict] then
                worst = worst or verdict
                line[#line + 1] = ("%s %d%s"):format(verdict, seen[verdict], said[verdict] ~= "" and
                    " (" .. said[verdict] .. ")" or "")
            end
        end
        counts[module][worst] = counts[module][worst] + 1
        print(("%s: %s: %s"):format(module, name, table.concat(line, ", ")))
    end
end

-- A program counts as the worst of what it became.
print(("\n%d programs, each %d times"):format(#programs, RUNS))
for _, module in ipairs(arg) do
    local line = {}
    for _, verdict in ipairs(VERDICTS) do line[#line + 1] = verdict .. " " .. counts[module][verdict] end
    print(module .. ": " .. table.concat(line, ", "))
end
if counts[arg[1]].ok < #programs then os.exit(1) end
