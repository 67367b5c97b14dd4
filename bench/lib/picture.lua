return { svg = function() return "" end }
