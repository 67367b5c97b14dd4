-- Prints the seconds of CPU time that `run(count)` takes, after `run(warm)`.
return function(run, warm, count)
    run(warm)
    local before = os.clock()
    run(count)
    print("cpu", os.clock() - before)
end
