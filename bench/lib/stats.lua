-- Medians and quartiles.

local stats = {}

-- The value that a share of the others is not above, between neighbours in proportion.
local function quantile(sorted, share)
    local place = 1 + share * (#sorted - 1)
    local below = math.floor(place)
    local above = math.min(below + 1, #sorted)
    return sorted[below] + (place - below) * (sorted[above] - sorted[below])
end

-- {median, low, high}: low and high are the quartiles. Nil of nothing.
function stats.summary(values)
    if #values == 0 then
        return nil
    end
    local sorted = table.move(values, 1, #values, 1, {})
    table.sort(sorted)
    return { median = quantile(sorted, 0.5), low = quantile(sorted, 0.25), high = quantile(sorted, 0.75) }
end

-- The summary of a[i] / b[i].
function stats.ratio(a, b)
    local ratios = {}
    for i = 1, math.min(#a, #b) do
        ratios[i] = a[i] / b[i]
    end
    return stats.summary(ratios)
end

return stats
