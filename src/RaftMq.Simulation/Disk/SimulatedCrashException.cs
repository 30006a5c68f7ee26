namespace RaftMq.Simulation.Disk;

/// <summary>The simulated process died inside this call. Nothing of it runs on; the harness restarts the node.</summary>
public sealed class SimulatedCrashException : Exception
{
    public SimulatedCrashException(string message)
        : base(message)
    {
    }

    public SimulatedCrashException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    public SimulatedCrashException()
    {
    }
}
