namespace RaftMq.Fuzz.Coverage;

/// <summary>
/// One counter per branch of the product's code, counted up by the code that <see cref="ProbeWriter"/> puts into it. Public, and a field, because
/// that code reaches it from the product's assemblies.
/// </summary>
public static class Edges
{
    /// <summary>Under this name the number of branches is handed to the context in which the product is loaded.</summary>
    internal const string CountKey = "RaftMq.Fuzz.Edges";

#pragma warning disable CA1051 // The probes are a handful of instructions each; a call would be half of the time.
    public static readonly byte[] Counters = new byte[(int)(AppContext.GetData(CountKey) ?? 0)];
#pragma warning restore CA1051
}
