using System.Reflection;

namespace RaftMq.PlantedBugs;

/// <summary>The switches of the assemblies that were built with planted bugs; each of these has all of them.</summary>
internal sealed class BugSwitches
{
    private readonly SortedDictionary<string, List<FieldInfo>> _fields = new(StringComparer.Ordinal);

    public BugSwitches()
    {
        foreach (string name in (string[])["RaftMq.Raft", "RaftMq.Storage", "RaftMq.Broker"])
        {
            Type type = Assembly.Load(name).GetType("RaftMq.PlantedBug", throwOnError: true)!;
            foreach (FieldInfo field in type.GetFields(BindingFlags.Static | BindingFlags.Public).Where(static field => !field.IsLiteral))
            {
                if (!_fields.TryGetValue(field.Name, out List<FieldInfo>? fields))
                {
                    _fields.Add(field.Name, fields = []);
                }

                fields.Add(field);
            }
        }
    }

    /// <summary>None in any other configuration than Planted.</summary>
    public IReadOnlyCollection<string> Names => _fields.Keys;

    /// <summary>Off: all of them.</summary>
    public void TurnOn(string? bug)
    {
        foreach ((string name, List<FieldInfo> fields) in _fields)
        {
            fields.ForEach(field => field.SetValue(null, name == bug));
        }
    }
}
