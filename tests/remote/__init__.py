"""Other hosts over ssh: the way there with a stand-in for ssh, and two booted machines on a cable."""
