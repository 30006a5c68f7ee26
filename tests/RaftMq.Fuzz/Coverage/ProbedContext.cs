using System.Reflection;
using System.Runtime.Loader;

namespace RaftMq.Fuzz.Coverage;

/// <summary>
/// Loads the product's assemblies with probes in them, and this program a second time beside them, so that its formats meet those.
/// </summary>
internal sealed class ProbedContext : AssemblyLoadContext
{
    private static readonly string[] Product =
    [
        "RaftMq.Raft", "RaftMq.Records", "RaftMq.Storage", "RaftMq.Broker", "RaftMq.Kafka.Wire", "RaftMq.Kafka", "RaftMq.Server",
    ];

    private readonly Dictionary<string, Assembly> _loaded = new(StringComparer.Ordinal);

    private ProbedContext()
        : base("probed")
    {
    }

    /// <summary>Calls a static method of the program in the context: (arguments, branches, constants) to an exit code.</summary>
    public static int Run(Type type, string method, string[] arguments)
    {
        ProbeWriter writer = new();
        Dictionary<string, (MemoryStream Assembly, MemoryStream Symbols)> rewritten = new(StringComparer.Ordinal);
        foreach (string name in Product)
        {
            rewritten.Add(name, writer.Rewrite(Path.Combine(AppContext.BaseDirectory, $"{name}.dll")));
        }

        string own = type.Assembly.GetName().Name!;
        rewritten.Add(own, writer.Rewrite(type.Assembly.Location));
        AppContext.SetData(Edges.CountKey, writer.Branches.Count);
        ProbedContext context = new();
        foreach ((string name, (MemoryStream assembly, MemoryStream symbols)) in rewritten)
        {
            context._loaded.Add(name, context.LoadFromStream(assembly, symbols));
        }

        MethodInfo entry = context._loaded[own].GetType(type.FullName!)!.GetMethod(method, BindingFlags.Static | BindingFlags.Public)!;
        Func<string[], string[], string[], int> run = entry.CreateDelegate<Func<string[], string[], string[], int>>();
        return run(arguments, [.. writer.Branches], [.. writer.Constants]);
    }

    protected override Assembly? Load(AssemblyName assemblyName) => _loaded.GetValueOrDefault(assemblyName.Name ?? "");
}
