using System.Globalization;
using RaftMq.Fuzz.Coverage;

namespace RaftMq.Fuzz.Engine;

/// <summary>Which branches were ever reached, and about how often in one input: both make an input worth keeping.</summary>
internal sealed class BranchMap
{
    /// <summary>By counter: one bit per class of how often it was counted.</summary>
    private readonly byte[] _seen = new byte[Edges.Counters.Length];

    public static void Clear() => Edges.Counters.AsSpan().Clear();

    public bool IsReached(int branch) => _seen[branch] != 0;

    /// <summary>Takes in what the last input reached; true when some of it is new.</summary>
    public bool Take()
    {
        bool isNew = false;
        ReadOnlySpan<byte> counters = Edges.Counters;
        int at = 0;
        while (counters[at..].IndexOfAnyExcept((byte)0) is var next and >= 0)
        {
            at += next;
            isNew |= Take(at, counters[at]);
            at++;
        }

        return isNew;
    }

    private bool Take(int branch, byte count)
    {
        byte mark = count switch
        {
            0 => 0,
            1 => 1,
            2 => 2,
            3 => 4,
            < 8 => 8,
            < 16 => 16,
            < 32 => 32,
            < 128 => 64,
            _ => 128,
        };
        bool isNew = (_seen[branch] & mark) != mark;
        _seen[branch] |= mark;
        return isNew;
    }
}

/// <summary>The branches of a format's parsers; of what the compiler made up (records' own methods), and of what writes, none.</summary>
internal sealed class ParserBranches
{
    private const string EntryArm = "entry";

    private static readonly string[] Writers = ["Write", "Compress", "Encode"];

    private readonly List<(int Number, BranchInfo Branch)> _branches = [];

    public ParserBranches(FuzzFormat format, IReadOnlyList<string> all, IReadOnlyList<string> constants)
    {
        for (int i = 0; i < all.Count; i++)
        {
            BranchInfo branch = BranchInfo.Parse(all[i]);
            if (branch.Arm != EntryArm && branch.File.Length > 0 && !IsWriter(branch.Method) && format.Parsers.Any(parser => Names(parser, branch.Type, branch.Method)))
            {
                _branches.Add((i, branch));
            }
        }

        Constants =
        [
            .. constants.Select(text => text.Split('|'))
                .Where(constant => format.Parsers.Any(parser => Names(parser, constant[0], method: null)))
                .Select(constant => long.Parse(constant[1], CultureInfo.InvariantCulture))
                .Distinct(),
        ];
    }

    public int Count => _branches.Count;

    public long[] Constants { get; }

    public int Reached(BranchMap map) => _branches.Count(branch => map.IsReached(branch.Number));

    public IEnumerable<string> NotReached(BranchMap map) => _branches
        .Where(branch => !map.IsReached(branch.Number))
        .Select(branch => $"{branch.Branch.File}:{branch.Branch.Line} {branch.Branch.Arm}  {branch.Branch.Type}.{branch.Branch.Method}");

    /// <summary>It stands beside the parser and is run to make what is read.</summary>
    private static bool IsWriter(string method) => Array.Exists(Writers, word => method.StartsWith(word, StringComparison.Ordinal));

    private static bool Names(string parser, string type, string? method)
    {
        int colon = parser.IndexOf("::", StringComparison.Ordinal);
        string wantedType = colon < 0 ? parser : parser[..colon];
        bool isType = wantedType.EndsWith('*')
            ? type.StartsWith(wantedType[..^1], StringComparison.Ordinal)
            : type == wantedType || type.StartsWith(wantedType + "/", StringComparison.Ordinal);
        return isType && (colon < 0 || method is null || parser[(colon + 2)..] == method);
    }
}
