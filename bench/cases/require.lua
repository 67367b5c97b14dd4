-- What loading a module costs: lua require.lua MODULE. Prints seconds of CPU time.

local before = os.clock()
require(arg[1])
print("cpu", os.clock() - before)
