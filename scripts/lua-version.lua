-- Prints the name that `make` has for the Lua that runs this.
print(jit and "jit" or _VERSION:match("%d+%.%d+"))
