namespace RaftMq.Server.Tests;

/// <summary>Tests that measure the process's memory run alone: what others allocate meanwhile would count as theirs.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MemoryMeasured
{
    public const string Name = "memory measured";
}
