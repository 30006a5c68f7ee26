using System.Collections.Immutable;

namespace RaftMq.House.Tests.Determinism;

/// <summary>Static fields of which the first half is state and the second is none.</summary>
internal static class BadStatics
{
    internal static readonly int[] Elements = [1, 2];
    internal static readonly List<int> Growing = [];
    internal static readonly Dictionary<string, int> Table = new(StringComparer.Ordinal);
    internal static readonly Holder Deep = new(new Holder(null, ImmutableArray<object>.Empty), [new Counter()]);
    internal static readonly object Hidden = new Counter();
    internal static readonly (int, Counter) InStruct = (1, new Counter());

    [ThreadStatic]
    internal static int PerThread;

    internal static int Count = 1;

    internal const int Constant = 1;
    internal static readonly int Number = 1;
    internal static readonly UInt128 Wide = 1;
    internal static readonly string Text = "text";
    internal static readonly int[] Nothing = [];
    internal static readonly IReadOnlyList<string> Literals = ["a", "b"];
    internal static readonly ImmutableSortedDictionary<string, Holder> Fixed =
        ImmutableSortedDictionary<string, Holder>.Empty.Add("a", new Holder(null, ["b", 1, StringComparison.Ordinal]));
    internal static readonly (int Number, ImmutableArray<int> Unset) Half = (1, default);
    internal static readonly Func<int> Lambda = static () => Constant;
    internal static readonly Holder Chain = new(new Holder(null, []), []);

    internal static int Auto { get; set; } = 1;

    internal static int Once { get; } = 1;

    internal static int Touch() => ++PerThread;

    internal sealed record Holder(Holder? Next, ImmutableArray<object> Items);

    internal sealed class Counter
    {
        public int Value { get; set; }
    }

    internal static class Generic<T>
    {
        internal static readonly int Number = typeof(T).Name.Length;
    }
}
