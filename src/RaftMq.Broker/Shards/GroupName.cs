using System.Globalization;
using RaftMq.Raft;

namespace RaftMq.Broker.Shards;

/// <summary>What a group is, by the name that the store keeps for it.</summary>
internal abstract record GroupName
{
    private const string ControllerName = "controller";

    /// <summary>A dash and the 32 hexadecimal digits of the store's key, at the end of a folder's name.</summary>
    private const int FolderSuffixChars = 33;

    private GroupName() { }

    public sealed record Controller : GroupName
    {
        public override string ToString() => ControllerName;
    }

    /// <summary>A partition of a topic, the offsets topic's included.</summary>
    /// <param name="Life">
    /// The epoch of the movement by which this replica came; 0 for one that was there from the beginning (<see cref="GroupId.WithLife"/>).
    /// </param>
    /// <param name="BornFrom">See <see cref="RaftConfig.BornFrom"/>; of a life other than the first.</param>
    /// <param name="BornIn">
    /// See <see cref="RaftStart.BornIn"/>; of a life other than the first. Zero where it was not told, and the name says nothing of it.
    /// </param>
    public sealed record Partition(string Topic, int Number, int Life = 0, LogIndex BornFrom = default, Term BornIn = default) : GroupName
    {
        public override string ToString() =>
            Life == 0 ? $"{Topic}-{Number}"
            : BornIn == Term.Zero ? string.Create(CultureInfo.InvariantCulture, $"{Topic}-{Number}~{Life}.{BornFrom.Value}")
            : string.Create(CultureInfo.InvariantCulture, $"{Topic}-{Number}~{Life}.{BornFrom.Value}.{BornIn.Value}");
    }

    /// <summary>Under which the store keeps this replica of the group; the group of such a key, too.</summary>
    public GroupId KeyOf(GroupId group) => group.WithLife(this is Partition { Life: var life } ? life : 0);

    /// <summary>Null when the name is none that this version gives. Where a group's own file is lost there is only its folder's name.</summary>
    public static GroupName? TryParse(string name)
    {
        if (name == ControllerName)
        {
            return new Controller();
        }

        int slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            return name.Length - slash > FolderSuffixChars + 1 ? TryParse(name[(slash + 1)..^FolderSuffixChars]) : null;
        }

        int dash = name.LastIndexOf('-');
        if (dash <= 0)
        {
            return null;
        }

        string[] parts = name[(dash + 1)..].Split('~', '.');
        if (parts.Length is not (1 or 3 or 4) || !TryParseNumber(parts[0], int.MaxValue, out long number))
        {
            return null;
        }

        long life = 0, bornFrom = 0, bornIn = 0;
        bool isName = parts.Length == 1
            || (TryParseNumber(parts[1], int.MaxValue, out life) && TryParseNumber(parts[2], long.MaxValue, out bornFrom)
                && (parts.Length == 3 || TryParseNumber(parts[3], int.MaxValue, out bornIn)));
        Partition partition = new(name[..dash], (int)number, (int)life, new LogIndex(bornFrom), new Term((int)bornIn));
        return isName && partition.ToString() == name ? partition : null;
    }

    private static bool TryParseNumber(string digits, long max, out long value) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= max;
}
