using RaftMq.Fuzz.Coverage;
using RaftMq.Fuzz.Engine;

// Nothing of the product may be touched here: it is loaded with probes in it, and this program with it.
return SideBySide.IsWanted(args) ? SideBySide.Run(args) : ProbedContext.Run(typeof(FuzzRun), nameof(FuzzRun.Run), args);
