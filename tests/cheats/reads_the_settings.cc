// Looks through the runner's settings.
extern char** environ;

char* first_setting = environ[0];
